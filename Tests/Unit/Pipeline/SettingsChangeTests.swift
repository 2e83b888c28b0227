// Settings that change while readings wait.

import Journal
import Pipeline
import Records
import Testing

@Suite struct SettingsChangeTests {
  private let fixture: EngineFixture

  init() throws { fixture = try EngineFixture() }

  private func publish(_ topic: String, _ payload: String) throws {
    let entries = EntryBuffer()
    var (topic, payload) = ("stedi/\(topic)", payload)
    topic.withUTF8 { topic in
      payload.withUTF8 { payload in
        entries.append(
          kind: .message, arrivalMs: 10_000, topic: UnsafeRawBufferPointer(topic),
          payload: UnsafeRawBufferPointer(payload))
      }
    }
    try fixture.player.play(entries)
  }

  private func customer(_ email: String, _ serial: String, since: Int) throws {
    let dates = "\"lastUpdateDate\":1,\"shareWithResearchAsOfDate\":\(since)"
    try publish("customer/1", "{\"email\":\"\(email)\",\"serialNumber\":\"\(serial)\",\(dates)}")
  }

  private func accelerometer(_ user: String, _ time: Int) throws {
    try publish(
      "accelerometer/\(user)", "{\"user\":\"\(user)\",\"timestamp\":\(time),\"x\":1,\"y\":2,\"z\":3}")
  }

  private func stepTrainer(_ serial: String, _ time: Int) throws {
    try publish(
      "step_trainer/1",
      "{\"sensorReadingTime\":\(time),\"serialNumber\":\"\(serial)\",\"distanceFromObject\":7}")
  }

  private func change(_ change: (inout EngineSettings) -> Void) throws {
    var settings = fixture.engine.settings
    change(&settings)
    try fixture.engine.apply(settings)
  }

  private var pairs: Int { get throws { try fixture.rows(.machineLearningCurated).count } }

  @Test func `With presence a consent covers earlier readings too, and with enforce no longer`() throws {
    try customer("a@x", "S1", since: 2_000)
    try accelerometer("a@x", 1_000)
    #expect(fixture.engine.counts[.accelerometer, .beforeConsent] == 1)

    try change { $0.consent = .presence }
    try accelerometer("a@x", 1_000)
    try stepTrainer("S1", 1_000)
    #expect(try pairs == 1)

    try change { $0.consent = .enforce }
    try stepTrainer("S1", 1_001)
    try accelerometer("a@x", 1_001)
    #expect(try pairs == 1)
    #expect(fixture.engine.counts[.stepTrainer, .beforeConsent] == 1)
    #expect(fixture.engine.counts[.accelerometer, .beforeConsent] == 2)
    // What was only covered by presence does not wait for partners any more.
    try accelerometer("a@x", 2_000)
    try stepTrainer("S1", 2_000)
    #expect(try pairs == 2)
    #expect(fixture.engine.counts.balance)
  }

  @Test func `Held readings whose claimant's consent no longer reaches back get their verdict`() throws {
    try customer("a@x", "S1", since: 2_000)
    try change { $0.consent = .presence }
    try stepTrainer("S1", 1_000)
    #expect(fixture.engine.counts.held == 1)
    try change { $0.consent = .enforce }
    #expect(fixture.engine.counts.held == 0)
    #expect(fixture.engine.counts[.stepTrainer, .beforeConsent] == 1)
    #expect(fixture.engine.counts.balance)
  }

  @Test func `Readings that wait meet others by time alone after a change of the pairing, and back`() throws {
    try customer("a@x", "S1", since: 1)
    try customer("b@x", "S2", since: 1)
    try accelerometer("a@x", 1_000)
    try accelerometer("b@x", 1_000)
    try change { $0.join.pairing = .timestamp }
    #expect(try pairs == 0, "the change itself makes no pairs")
    try stepTrainer("S2", 1_000)
    #expect(try pairs == 2)
    try change { $0.join.pairing = .owner }
    try stepTrainer("S1", 1_001)
    #expect(try pairs == 3)
    try accelerometer("b@x", 1_002)
    #expect(try pairs == 4, "the step trainer reading that waited moved along")
  }

  @Test func `Landing tables are there from when they are enabled on`() throws {
    try customer("a@x", "S1", since: 1)
    try change { $0.landing = true }
    try customer("b@x", "S2", since: 1)
    #expect(try fixture.rows(.customerLanding).count == 1)
    #expect(try fixture.rows(.customerTrusted).count == 2)
  }
}
