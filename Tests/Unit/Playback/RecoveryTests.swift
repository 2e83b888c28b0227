import Glibc
import Journal
import Pipeline
import Storage
import Testing
import TestSupport

@testable import Playback

@Suite struct RecoveryTests {
  private let fixture: RecoveryFixture

  init() throws { fixture = try RecoveryFixture() }

  private func start() throws -> Recovered { try #require(try fixture.start()) }

  @Test func `Whenever the process ends, the next one goes on as if nothing had happened`() throws {
    let expected = try RecoveryFixture.undisturbed(40)
    for killAt in 1..<40 {
      let fixture = try RecoveryFixture()
      let first = try #require(try fixture.start())
      for number in 0..<killAt {
        try fixture.take(first, RecoveryFixture.messages(number..<number + 1))
        if number % 7 == 6 { try fixture.checkpoint(first) }
      }
      let second = try #require(try fixture.start())
      try fixture.take(second, RecoveryFixture.messages(killAt..<40))
      #expect(second.player.engine.counts.balance)
      #expect(try fixture.tableFiles() == expected, "killed after message \(killAt)")
    }
  }

  @Test func `What is journaled and not yet in the tables is judged and written at the start`() throws {
    let first = try start()
    try fixture.take(first, RecoveryFixture.messages(0..<10))
    try fixture.checkpoint(first)
    try fixture.take(first, RecoveryFixture.messages(10..<20))
    let buffer = EntryBuffer(RecoveryFixture.messages(20..<30))
    try first.journal.append(buffer)
    try first.journal.sync()
    let second = try start()
    #expect(try fixture.tableFiles() == RecoveryFixture.undisturbed(30))
    #expect(second.player.engine.counts.received(.accelerometer) == 13)
    #expect(second.player.position == second.journal.endPosition)
  }

  @Test func `A row that was torn is completed where it ends`() throws {
    let first = try start()
    try fixture.take(first, RecoveryFixture.messages(0..<10))
    let whole = try fixture.tableFiles()
    let path = "data/trusted/accelerometer_trusted/00000000000000000000.ndjson"
    for bytes in 0..<(whole[path]?.count ?? 0) {
      try fixture.disk.openForAppending(path).truncate(to: bytes)
      _ = try start()
      #expect(try fixture.tableFiles() == whole, "torn at byte \(bytes)")
    }
    // The journal is to be played, and was; nothing else.
    #expect(fixture.events.count == 2)
  }

  @Test func `A checkpoint saves playing what is before it`() throws {
    let first = try start()
    try fixture.take(first, RecoveryFixture.messages(0..<10))
    try fixture.checkpoint(first)
    let position = first.journal.endPosition
    try fixture.take(first, RecoveryFixture.messages(10..<12))
    _ = try start()
    guard case .playing(let from, let to) = fixture.events.first else {
      Issue.record("nothing was played")
      return
    }
    #expect(from == position)
    #expect(to == first.journal.endPosition)
  }

  @Test func `A damaged checkpoint is set aside, and the one before it leads to the same`() throws {
    let first = try start()
    for end in stride(from: 10, through: 40, by: 10) {
      try fixture.take(first, RecoveryFixture.messages(end - 10..<end))
      try fixture.checkpoint(first)
    }
    let whole = try fixture.tableFiles()
    let newest = try #require(try fixture.store.positions().last)
    let path = fixture.store.path(newest)
    let bytes = try fixture.disk.readFile(path)
    for byte in stride(from: 0, to: bytes.count, by: 97) {
      var damaged = bytes
      damaged[byte] ^= 0x40
      let file = fixture.disk.openForAppending(path)
      try file.truncate(to: 0)
      try file.append(damaged)
      // A changed version is not damage but another version.
      if (8..<12).contains(byte) { continue }
      _ = try start()
      guard case .badCheckpoint(let error, let aside) = fixture.events.first else {
        Issue.record("byte \(byte) was not noticed")
        continue
      }
      #expect("\(error)".hasPrefix("\(path) is damaged at byte"))
      #expect(try fixture.disk.readFile(aside) == damaged)
      #expect(try fixture.tableFiles() == whole)
      #expect(try !fixture.store.positions().contains(newest))
    }
  }

  @Test func `With no good checkpoint and a trimmed journal it does not begin anew`() throws {
    let first = try start()
    for end in stride(from: 10, through: 40, by: 10) {
      try fixture.take(first, RecoveryFixture.messages(end - 10..<end))
      try fixture.checkpoint(first)
    }
    for position in try fixture.store.positions() {
      try fixture.disk.openForAppending(fixture.store.path(position)).truncate(to: 50)
    }
    #expect {
      _ = try fixture.start()
    } throws: { error in
      guard case RecoveryError.noState = error else { return false }
      return "\(error)".contains("data/checkpoint has no good checkpoint")
    }
  }

  @Test func `Entries are judged by the settings that were in force when they came`() throws {
    let first = try start()
    try fixture.take(first, RecoveryFixture.messages(0..<10))
    try fixture.take(first, [Entry(kind: .settings, arrivalMs: 1100, topic: "", payload: "0")])
    try fixture.take(first, RecoveryFixture.messages(10..<20))
    try fixture.checkpoint(first)
    try fixture.take(first, RecoveryFixture.messages(20..<30))
    let pairs = first.player.engine.tables.rowCounts[.machineLearningCurated]
    let second = try start()
    #expect(second.player.engine.settings.join.toleranceMs == 0)
    #expect(second.player.settingsText == Array("0".utf8))
    #expect(second.player.engine.tables.rowCounts[.machineLearningCurated] == pairs)
  }

  @Test func `Settings that cannot be read stop the start, and nothing is set aside for it`() throws {
    let first = try start()
    try fixture.take(first, RecoveryFixture.messages(0..<10))
    try fixture.take(first, [Entry(kind: .settings, arrivalMs: 1100, topic: "", payload: "0")])
    try fixture.checkpoint(first)
    try fixture.take(first, RecoveryFixture.messages(10..<20))
    try fixture.checkpoint(first)
    let files = try fixture.disk.list("data/checkpoint")
    let path = fixture.store.path(try #require(try fixture.store.positions().last))
    var other = fixture
    other.unreadableSettings = "0"
    #expect {
      _ = try other.start()
    } throws: { error in
      "\(error)" == "the settings in \(path) cannot be read by this version of stepgate: 0 is unknown"
    }
    #expect(try fixture.disk.list("data/checkpoint") == files)
    #expect(try start().player.settingsText == Array("0".utf8), "the right program goes on")
  }

  @Test func `What the broker may send again is remembered across a checkpoint`() throws {
    let first = try start()
    try fixture.take(first, RecoveryFixture.messages(0..<10))
    try fixture.checkpoint(first)
    try fixture.take(first, RecoveryFixture.messages(10..<20))
    var filter = try start().redeliveries
    filter.connected(sessionPresent: true)
    for entry in RecoveryFixture.messages(4..<20) {
      let content = PaddedText(Array(entry.payload.utf8))
      let topic = PaddedText(Array(entry.topic.utf8))
      let hash = RedeliveryFilter.content(topic.bytes, content.bytes, payloadBytes: content.bytes.count)
      let isRepeated = filter.isRepeated(packetID: entry.packetID, content: hash)
      #expect(isRepeated, "packet id \(entry.packetID)")
    }
  }

  @Test func `It stops between two pieces of the journal when it is told to`() throws {
    let first = try start()
    try fixture.take(first, RecoveryFixture.messages(0..<20))
    #expect(try fixture.start(isStopping: { true }) == nil)
    _ = try start()
    #expect(try fixture.tableFiles() == RecoveryFixture.undisturbed(20))
  }

  @Test func `Rows that the journal does not account for stay, and are told of`() throws {
    let first = try start()
    try fixture.take(first, RecoveryFixture.messages(0..<10))
    let path = "data/audit/gaps/00000000000000000000.ndjson"
    try fixture.disk.openForAppending(path).append(Array("{\"reason\":\"none\"}\n".utf8))
    _ = try start()
    guard case .unexplainedRows(.gaps, 1) = fixture.events.last else {
      Issue.record("not told: \(fixture.events)")
      return
    }
    #expect(try fixture.tableFiles()[path]?.isEmpty == false)
  }
}
