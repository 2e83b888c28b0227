// The order of reading, writing and acknowledging, with a real broker and a disk that fails.

import Foundation
import Journal
import Pipeline
import Records
import Storage
import Synchronization
import Testing
import TestSupport
import Threads

@testable import Ingest
@testable import Mosquitto
@testable import Playback

/// One gateway's ingest, to be run once. Each has a journal and tables of its own and the broker's one session.
private final class IngestFixture: IngestObserver {
  let journal: JournalFixture
  let journalDisk = FaultyFileSystem()
  let tableDisk = FaultyFileSystem()
  let engine: EngineFixture
  let writer: JournalWriter
  let wakeUp = WakeUp()
  /// What the process itself adds.
  let input: LocalInput
  private let broker: PrivateBroker
  private(set) var sessionsPresent: [Bool] = []
  private(set) var wakeUps = 0

  init(_ broker: PrivateBroker) throws {
    self.broker = broker
    input = LocalInput(wakeUp: wakeUp)
    journal = try JournalFixture()
    engine = try EngineFixture(fileSystem: tableDisk)
    writer = try JournalWriter(fileSystem: journalDisk, directory: journal.directory)
  }

  static func options(_ broker: PrivateBroker) -> ConnectOptions {
    ConnectOptions(host: broker.host, port: broker.port, clientID: "gateway")
  }

  /// Runs the loop until it fails or `isDone`.
  func run(
    maxMessageBytes: Int = 1 << 20, asksForRoll: Bool = false,
    until isDone: @escaping (IngestFixture, PipelineStatus) -> Bool
  ) throws {
    let wakeUp = wakeUp
    let thread = EngineThread(
      player: engine.player,
      checkpoints: CheckpointStore(fileSystem: tableDisk, dataDirectory: engine.folder("data"))
    ) { wakeUp.signal() }
    let deadline = Date(timeIntervalSinceNow: 20)
    let limits = IngestLimits(maxMessageBytes: maxMessageBytes, minFreeBytes: 0, checkpoints: .seldom)
    let loop = IngestLoop(
      connection: try Client(Self.options(broker)), subscriptions: ["stedi/#"], limits: limits,
      recovered: Recovered(
        journal: writer, player: engine.player, redeliveries: RedeliveryFilter(), checkpointPosition: 0),
      engine: thread,
      room: RoomWatch(fileSystem: tableDisk, directory: engine.folder("data"), minFreeBytes: 0),
      wakeUp: wakeUp, input: input, observer: self,
      isStopping: { [unowned self] in isDone(self, thread.status) || Date() > deadline })
    thread.start()
    if asksForRoll { thread.requestRoll() }
    let outcome = Result { () throws(IngestError) in try loop.run() }
    // What failed is the loop's to tell; the engine fails here with the same words.
    try? thread.stop()
    try outcome.get()
    #expect(Date() < deadline, "the loop did not get there in time")
  }

  func subscribed(sessionPresent: Bool, isComplete: Bool) { sessionsPresent.append(sessionPresent) }
  func wokenUp() { wakeUps += 1 }
  func secondPassed() {}
  func subscriptionRefused(_ filter: String, reasonCode: UInt8) {}
  func connectFailed(_ reason: MosquittoError, retryInMs: Int) {}
  func disconnected(_ reason: MosquittoError?) {}
  func sessionLost(fromMs: Int64, toMs: Int64) {}
  func roomChanged(isLow: Bool, freeBytes: Int, minFreeBytes: Int) {}
}

@Suite struct IngestLoopTests {
  private let messages = 50

  /// A broker that holds messages for the session "gateway".
  private func brokerWithMessages(_ payloads: [[UInt8]]? = nil) throws -> PrivateBroker {
    let broker = try PrivateBroker()
    try IngestFixture(broker).run { fixture, _ in !fixture.sessionsPresent.isEmpty }
    let publisher = try TestClient(
      ConnectOptions(host: broker.host, port: broker.port, clientID: "publisher"))
    try publisher.connect()
    try publisher.publish("stedi/customer/x", payloads ?? numbered(messages))
    return broker
  }

  /// What the broker still holds for the session, in order.
  private func unacknowledged(_ broker: PrivateBroker) throws -> [String] {
    let publisher = try TestClient(
      ConnectOptions(host: broker.host, port: broker.port, clientID: "marker"))
    try publisher.connect()
    try publisher.publish("stedi/marker", [Array("marker".utf8)])
    let client = try TestClient(IngestFixture.options(broker))
    try client.connect()
    #expect(client.events.sessionsPresent == [true])
    try client.drive(writing: false) { client.events.messages.last?.topic == "stedi/marker" }
    return client.events.messages.dropLast().map { String(decoding: $0.payload, as: UTF8.self) }
  }

  private var allMessages: [String] { (0..<messages).map(String.init) }

  @Test func `What is acknowledged is in the journal, durable, in order, and judged`() throws {
    let broker = try brokerWithMessages()
    let fixture = try IngestFixture(broker)
    try fixture.run { _, status in status.counts.received(.customer) == messages }

    #expect(try unacknowledged(broker).isEmpty)
    let entries = try fixture.journal.entries()
    #expect(entries.map(\.payload) == allMessages)
    #expect(entries.allSatisfy { $0.topic == "stedi/customer/x" && $0.packetID > 0 && $0.kind == .message })
    #expect(fixture.writer.durablePosition == fixture.writer.endPosition)
    #expect(try fixture.engine.rows(.rejected).count == messages)
  }

  @Test(arguments: [StorageError.Operation.sync, .write])
  func `With a journal that fails nothing is acknowledged or judged, and the loop ends with its error`(
    operation: StorageError.Operation
  ) throws {
    let broker = try brokerWithMessages()
    let fixture = try IngestFixture(broker)
    fixture.journalDisk.fail(operation)
    let error = #expect(throws: IngestError.self) { try fixture.run { _, _ in false } }
    guard case .storage(let reason) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(reason.operation == operation && reason.code == EIO)
    #expect(fixture.engine.engine.counts.received(.customer) == 0)
    #expect(try unacknowledged(broker) == allMessages)
  }

  @Test func `A batch is one write to the journal and one sync`() throws {
    let broker = try brokerWithMessages()
    let fixture = try IngestFixture(broker)
    _ = fixture.journalDisk.takeLog()
    try fixture.run { _, status in status.counts.received(.customer) == messages }
    // A write and a sync for each batch, however many there were.
    let log = fixture.journalDisk.takeLog().map { String($0.prefix { $0 != " " }) }
    #expect(!log.isEmpty && log.count.isMultiple(of: 2))
    for pair in stride(from: 0, to: log.count, by: 2) {
      #expect(log[pair...].prefix(2) == ["write", "sync"])
    }
  }

  @Test func `With tables that fail the loop ends with their error, and the journal has what came`() throws {
    let broker = try brokerWithMessages()
    let fixture = try IngestFixture(broker)
    fixture.tableDisk.fail(.write)
    let error = #expect(throws: IngestError.self) { try fixture.run { _, _ in false } }
    guard case .engine(.tables(.storage(let reason))) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(reason.operation == .write)
    let journaled = try fixture.journal.entries().map(\.payload)
    let held = try unacknowledged(broker)
    #expect(journaled == Array(allMessages.prefix(journaled.count)))
    #expect(held == allMessages.suffix(held.count))
    // What came but was not read makes the kernel reset the connection, which may cost acknowledgements: the broker
    // then sends those messages again.
    #expect(journaled.count + held.count >= messages)
  }

  @Test func `Of a payload that is too large only the begin is kept, with its length`() throws {
    let limit = 10_000
    let payloads = [limit, limit + 1, 4_097].map { [UInt8](repeating: UInt8(ascii: "x"), count: $0) }
    let broker = try brokerWithMessages(payloads)
    let fixture = try IngestFixture(broker)
    try fixture.run(maxMessageBytes: limit) { _, status in status.counts.received(.customer) == 3 }
    let entries = try fixture.journal.entries()
    #expect(entries.map(\.payload.utf8.count) == [limit, refusedTextBytes, 4_097])
    #expect(entries.map(\.originalPayloadBytes) == [nil, limit + 1, nil])
    #expect(fixture.engine.engine.counts[.customer, .oversized] == 1)
  }

  @Test func `A wake-up is told at once, and stopping leaves the session with the broker`() throws {
    let broker = try PrivateBroker()
    let fixture = try IngestFixture(broker)
    fixture.wakeUp.signal()
    let start = Date()
    try fixture.run { fixture, _ in fixture.wakeUps > 0 && !fixture.sessionsPresent.isEmpty }
    #expect(fixture.sessionsPresent == [false])
    #expect(Date().timeIntervalSince(start) < 5)

    let again = try IngestFixture(broker)
    try again.run { fixture, _ in !fixture.sessionsPresent.isEmpty }
    #expect(again.sessionsPresent == [true])
  }

  @Test func `Settings are an entry between messages, and what they change elsewhere holds behind it`() throws
  {
    let payloads = [10_000, 10_000].map { [UInt8](repeating: UInt8(ascii: "x"), count: $0) }
    let broker = try brokerWithMessages(payloads)
    let fixture = try IngestFixture(broker)
    let applied = Applied()
    let entries = EntryBuffer()
    SettingsEntry.append(Array("tolerance 500".utf8), arrivalMs: 0, to: entries)
    let limits = IngestLimits(maxMessageBytes: 20_000, minFreeBytes: 0, checkpoints: .seldom)
    fixture.input.put(LocalEntries(entries, limits: limits, whenDurable: { applied.note() }))
    try fixture.run(maxMessageBytes: 1_000) { _, status in status.counts.received(.customer) == 2 }
    #expect(applied.count == 1)
    let journaled = try fixture.journal.entries()
    #expect(journaled.filter { $0.kind == .settings }.map(\.payload) == ["tolerance 500"])
    #expect(journaled.allSatisfy { $0.arrivalMs > 0 })
    #expect(fixture.engine.engine.settings.join.toleranceMs == 500)

    // The messages may have come before or behind it; each was judged by what held then.
    let place = try #require(journaled.firstIndex { $0.kind == .settings })
    for (index, entry) in journaled.enumerated() where entry.kind == .message {
      #expect((entry.originalPayloadBytes == nil) == (index > place))
    }
  }

  @Test func `What cannot be read back ends the loop, and the process with it`() throws {
    let fixture = try IngestFixture(try brokerWithMessages())
    let error = JournalError.missing(directory: "d", from: 8, to: 16)
    fixture.input.fail(error)
    #expect {
      try fixture.run { _, _ in false }
    } throws: { ($0 as? IngestError)?.description == error.description }
  }

  @Test func `When the engine asks for it the journal is rolled, and a checkpoint made there`() throws {
    let broker = try brokerWithMessages()
    let fixture = try IngestFixture(broker)
    try fixture.run { _, status in status.counts.received(.customer) == messages }
    let end = fixture.writer.endPosition
    let segments = {
      try journalSegmentPositions(fileSystem: LocalFileSystem(), directory: fixture.journal.directory)
    }
    #expect(try segments() == [0])
    try fixture.run(asksForRoll: true) { _, status in status.checkpointPosition != nil }
    let rolled = try #require(try segments().last)
    #expect(rolled >= end)
    let store = CheckpointStore(fileSystem: LocalFileSystem(), dataDirectory: fixture.engine.folder("data"))
    #expect(try store.positions() == [rolled])
  }

  @Test func `Customer files go in piece by piece, durable before they are said to be taken`() throws {
    let broker = try brokerWithMessages()
    let fixture = try IngestFixture(broker)
    let fileSystem = LocalFileSystem()
    let path = fixture.journal.folder("customers.json")
    let lines = (0..<20_000).map { #"{"email":"c\#($0)@x","serialNumber":"S1"}"# + "\n" }
    try fileSystem.overwrite(path, lines.joined())
    let staged = try StagedCustomers(
      path: path, maxRecordBytes: 1 << 20, minFreeBytes: 0, fileSystem: fileSystem,
      dataDirectory: fixture.engine.folder("data"))
    let applied = Applied()
    let input = fixture.input
    let pieces = HandedOver(staged)
    // The queue is shorter than the file, so this waits for the loop.
    Thread.detachNewThread {
      while let piece = try? pieces.staged.next() { input.put(LocalEntries(piece)) }
      input.put(LocalEntries(EntryBuffer(), whenDurable: { applied.note() }))
    }
    try fixture.run { _, status in
      applied.count == 1 && status.counts.received(.customer) == 20_000 + messages
    }
    let entries = try fixture.journal.entries()
    let customers = entries.filter { $0.kind == .customerFile }
    #expect(customers.count >= 3)
    #expect(customers.map(\.payload).joined() == lines.joined())
    #expect(entries.filter { $0.kind == .message }.map(\.payload) == allMessages)
    #expect(fixture.writer.durablePosition == fixture.writer.endPosition)
    #expect(try unacknowledged(broker).isEmpty)
  }
}

/// On its way to another thread.
private struct HandedOver: @unchecked Sendable {
  let staged: StagedCustomers

  init(_ staged: StagedCustomers) { self.staged = staged }
}

/// Counts calls on the ingest thread.
private final class Applied: Sendable {
  private let calls = Mutex(0)
  var count: Int { calls.withLock { $0 } }
  func note() { calls.withLock { $0 += 1 } }
}
