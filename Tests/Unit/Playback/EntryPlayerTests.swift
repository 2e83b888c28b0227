import Journal
import Pipeline
import Records
import Testing

@testable import Playback

@Suite struct EntryPlayerTests {
  private func play(_ fixture: EngineFixture, _ entries: Entry...) throws {
    try fixture.player.play(EntryBuffer(entries))
    try fixture.engine.tables.flush()
  }

  @Test func `The topic decides the kind, and a batch may hold all kinds`() throws {
    let fixture = try EngineFixture()
    try play(
      fixture, Entry(topic: "stedi/customer/1", payload: Texts.customer),
      Entry(topic: "stedi/accelerometer/ada@x", payload: Texts.accelerometer),
      Entry(topic: "stedi/step_trainer/a/b", payload: Texts.stepTrainer),
      Entry(topic: "other/ada@x", payload: Texts.accelerometer))
    let counts = fixture.engine.counts
    #expect(counts[.customer, .consenting] == 1)
    #expect(counts[.accelerometer, .trusted] == 1)
    #expect(counts[.stepTrainer, .trusted] == 1)
    #expect(counts[.unknown, .malformed] == 1)
    #expect(counts.balance)
    #expect(try fixture.rows(.machineLearningCurated).count == 1)
    #expect(try fixture.rows(.rejected).count == 1)
  }

  @Test func `The topic's placeholder level must equal the field`() throws {
    let fixture = try EngineFixture()
    try play(
      fixture, Entry(topic: "stedi/customer/1", payload: Texts.customer),
      Entry(topic: "stedi/accelerometer/eve@x", payload: Texts.accelerometer))
    #expect(fixture.engine.counts[.accelerometer, .identityMismatch] == 1)
    #expect(try fixture.rows(.accelerometerTrusted).isEmpty)
  }

  @Test func `A cut payload is oversized and not read, even where what is left is a record`() throws {
    let fixture = try EngineFixture()
    try play(
      fixture, Entry(topic: "stedi/customer/1", payload: Texts.customer),
      Entry(
        topic: "stedi/accelerometer/ada@x", payload: Texts.accelerometer, originalPayloadBytes: 2_000_000),
      Entry(topic: "other", payload: "x", originalPayloadBytes: 2_000_000))
    let counts = fixture.engine.counts
    #expect(counts[.accelerometer, .oversized] == 1)
    #expect(counts[.accelerometer, .trusted] == 0)
    #expect(counts[.unknown, .oversized] == 1)
    #expect(counts.balance)
    let rejected = try fixture.rows(.rejected)
    #expect(rejected.count == 2)
    #expect(rejected.allSatisfy { $0.contains(#""reason":"oversized""#) })
  }

  @Test func `An entry's arrival is the time that its records are judged by`() throws {
    let fixture = try EngineFixture()
    try play(
      fixture, Entry(arrivalMs: 5, topic: "stedi/customer/1", payload: Texts.customer),
      // 1000 ms is more than 5 minutes ahead of the first arrival, not of the second.
      Entry(arrivalMs: 1_000 - 300_001, topic: "stedi/accelerometer/ada@x", payload: Texts.accelerometer),
      Entry(arrivalMs: 1_000 - 300_000, topic: "stedi/accelerometer/ada@x", payload: Texts.accelerometer))
    #expect(fixture.engine.counts[.accelerometer, .future] == 1)
    #expect(fixture.engine.counts[.accelerometer, .trusted] == 1)
    let receivedAt = #"{"receivedAt":\#(1_000 - 300_001),"#
    #expect(try fixture.rows(.rejected).first?.hasPrefix(receivedAt) == true)
  }

  @Test func `Pieces of customer files are customer records, whatever the path looks like`() throws {
    let fixture = try EngineFixture()
    try play(
      fixture,
      Entry(kind: .customerFile, topic: "stedi/step_trainer/1", payload: "\(Texts.customer)\nbad\n"),
      Entry(kind: .customerFile, topic: "/c.json", payload: "begin of a long line", originalPayloadBytes: 21))
    let counts = fixture.engine.counts
    #expect(counts[.customer, .consenting] == 1)
    #expect(counts[.customer, .malformed] == 1)
    #expect(counts[.customer, .oversized] == 1)
  }

  @Test func `The beginning of the first session is no record and no gap`() throws {
    let fixture = try EngineFixture()
    try play(fixture, Entry(kind: .sessionGap, topic: "", payload: ""))
    #expect(RecordKind.allCases.allSatisfy { fixture.engine.counts.received($0) == 0 })
    #expect(try fixture.rows(.gaps).isEmpty)
  }

  @Test func `A later session's beginning is a row of the gaps, from the last contact on`() throws {
    let fixture = try EngineFixture()
    let entries = EntryBuffer()
    SessionStart.append(lastContactMs: 1_000, arrivalMs: 2_000, to: entries)
    try fixture.player.play(entries)
    let row = #"{"from":1000,"to":2000,"reason":"the broker no longer knew the session"}"#
    #expect(try fixture.rows(.gaps) == [row])
  }

  @Test func `Settings apply to the entries behind them, and to no others`() throws {
    let fixture = try EngineFixture()
    let stepTrainer = #"{"sensorReadingTime":1500,"serialNumber":"S1","distanceFromObject":7}"#
    try play(
      fixture, Entry(topic: "stedi/customer/1", payload: Texts.customer),
      Entry(topic: "stedi/accelerometer/ada@x", payload: Texts.accelerometer),
      Entry(topic: "stedi/step_trainer/1", payload: stepTrainer))
    #expect(try fixture.rows(.machineLearningCurated).isEmpty)
    try play(
      fixture, Entry(kind: .settings, topic: "", payload: "tolerance 500"),
      Entry(topic: "stedi/step_trainer/1", payload: Texts.stepTrainer.replacing("1050", with: "1499")))
    #expect(try fixture.rows(.machineLearningCurated).count == 1)
  }

  @Test func `Settings that this version cannot read end the play at their position`() throws {
    let fixture = try EngineFixture()
    let error = #expect(throws: PlayError.self) {
      try play(fixture, Entry(kind: .settings, topic: "", payload: "something else"))
    }
    guard case .unreadableSettings = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func `How entries were batched changes nothing`() throws {
    let entries = [
      Entry(topic: "stedi/customer/1", payload: Texts.customer),
      Entry(topic: "stedi/step_trainer/1", payload: Texts.stepTrainer),
      Entry(topic: "stedi/accelerometer/ada@x", payload: Texts.accelerometer),
      Entry(topic: "stedi/accelerometer/ada@x", payload: Texts.accelerometer),
    ]
    let together = try EngineFixture()
    try together.player.play(EntryBuffer(entries))
    let apart = try EngineFixture()
    for entry in entries { try play(apart, entry) }
    #expect(together.engine.counts == apart.engine.counts)
    for table in EngineSettings().tables {
      #expect(try together.rows(table) == apart.rows(table))
    }
  }
}
