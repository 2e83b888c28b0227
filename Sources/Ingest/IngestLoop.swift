// MQTT to journal: reads what the broker sends, makes it durable, and only then lets the
// acknowledgements go.
//
// Invariants:
// - An acknowledgement leaves only in a write turn, and a write turn is taken only when every message
//   that was read is below the journal's durable position.
// - A batch goes to the engine only when it is durable.
// - Memory is bounded: a batch takes no more messages past `batchBytes` or `batchMessages`, and there
//   are as many batches as `EngineThread` has; when the engine is behind, nothing is read and the
//   broker keeps the messages.

import Glibc
import Journal
import Mosquitto
import Records
import Storage

/// Told of what happens to the connection, on the ingest thread.
public protocol IngestObserver: AnyObject {
  /// Connected and subscribed: messages come from now on.
  func subscribed(sessionPresent: Bool)
  /// The broker refused this subscription (MQTT 5, section 3.9.3).
  func subscriptionRefused(_ filter: String, reasonCode: UInt8)
  func connectFailed(_ reason: MosquittoError, retryInMs: Int)
  func disconnected(_ reason: MosquittoError?)
  /// The broker has forgotten the session: what it took since `fromMs` (milliseconds since 1970-01-01 UTC) may be
  /// lost.
  func sessionLost(fromMs: Int64, toMs: Int64)
  /// The loop was woken from outside, to stop or to look at something.
  func wokenUp()
  /// About once a second: for what is worth telling without being asked.
  func secondPassed()
}

/// Why the loop ended.
public enum IngestError: Error, CustomStringConvertible {
  /// The journal cannot be written: what it holds is unknown, so the process must end.
  case journal(StorageError)
  /// The engine cannot go on.
  case engine(PlayError)
  /// The library does not withhold acknowledgements.
  case mosquitto(MosquittoError)

  public var description: String {
    switch self {
    case .journal(let error): error.description
    case .engine(let error): error.description
    case .mosquitto(let error): error.description
    }
  }
}

/// What the loop needs to know.
public struct IngestOptions {
  public var subscriptions: [String]
  /// A larger payload is journaled only in part, and judged `oversized`.
  public var maxMessageBytes: Int

  public init(subscriptions: [String], maxMessageBytes: Int) {
    self.subscriptions = subscriptions
    self.maxMessageBytes = maxMessageBytes
  }
}

/// The ingest thread's work.
public final class IngestLoop: ClientDelegate {
  // One group commit: large enough that an fsync is shared by what a busy broker sends meanwhile, small
  // enough that it takes milliseconds.
  private static let batchMessages = 8192
  private static let batchBytes = 4 << 20
  // Messages between two looks at the batch's bytes.
  private static let turnMessages = 16

  private let client: Client
  private let options: IngestOptions
  private let journal: JournalWriter
  private let engine: EngineThread
  private let wakeUp: WakeUp
  private weak var observer: (any IngestObserver)?
  private var batch: EntryBatch
  private var redeliveries: RedeliveryFilter
  /// Messages that the broker sent again and that are in the journal already.
  public private(set) var redelivered = 0
  private var backoff = Backoff()
  private var connectAtMs = 0
  private var subscribedAtMs = 0
  private var housekeepAtMs = 0
  private var isConnecting = false
  private var sessionPresent = false
  private var arrivalMs: Int64 = 0
  private let isStopping: () -> Bool

  /// - Parameters:
  ///   - redeliveries: remembers the journal's messages.
  ///   - isStopping: asked after each turn; signal `wakeUp` when it changes.
  public init(
    client: Client, options: IngestOptions, journal: JournalWriter, redeliveries: RedeliveryFilter,
    engine: EngineThread, wakeUp: WakeUp, observer: any IngestObserver, isStopping: @escaping () -> Bool
  ) {
    self.client = client
    self.options = options
    self.journal = journal
    self.redeliveries = redeliveries
    self.engine = engine
    self.wakeUp = wakeUp
    self.observer = observer
    self.isStopping = isStopping
    batch = EntryBatch()
    client.delegate = self
  }

  /// Runs until it is told to stop or cannot go on. Leaves the session with the broker.
  public func run() throws(IngestError) {
    while !isStopping() {
      connectIfDue()
      let ready = client.wait(timeoutMs: sleepMs(), forWriting: client.wantsWrite, wakeup: wakeUp.descriptor)
      if ready.wokenUp {
        wakeUp.reset()
        observer?.wokenUp()
      }
      if let failure = engine.failure { throw .engine(failure) }
      readBatch()
      try commit()
      housekeepIfDue()
    }
    disconnect()
  }

  // MARK: Reading and committing

  private func readBatch() {
    arrivalMs = wallClockMs()
    if client.isConnected { redeliveries.inContact(atMs: arrivalMs) }
    repeat {
      let outcome = client.readTurn(maxMessages: Self.turnMessages)
      if outcome == .drained { return }
    } while batch.entries.byteCount < Self.batchBytes && batch.entries.entryCount < Self.batchMessages
  }

  private func commit() throws(IngestError) {
    do throws(MosquittoError) { try client.checkAcknowledgementsWithheld() } catch { throw .mosquitto(error) }
    guard batch.entries.entryCount > 0 else { return client.writeTurn() }
    do throws(StorageError) {
      try journal.append(batch.entries)
      try journal.sync()
    } catch { throw .journal(error) }
    engine.submit(batch)
    client.writeTurn()
    batch = try nextBatch()
  }

  // While the engine is behind nothing is read, but the connection is kept alive.
  private func nextBatch() throws(IngestError) -> EntryBatch {
    while true {
      if let batch = engine.freeBatch(timeoutMs: 500) { return batch }
      if let failure = engine.failure { throw .engine(failure) }
      client.housekeepingTurn()
      client.writeTurn()
    }
  }

  public func received(_ message: borrowing MessageView) {
    let isOversized = message.payload.count > options.maxMessageBytes
    let kept =
      isOversized
      ? UnsafeRawBufferPointer(rebasing: message.payload.prefix(refusedTextBytes)) : message.payload
    if isRedelivered(message, kept) { return }
    batch.entries.append(
      kind: .message, arrivalMs: arrivalMs, packetID: message.packetID, topic: message.topic, payload: kept,
      originalPayloadBytes: message.payload.count)
  }

  // Its acknowledgement goes out all the same: the message is durable since it first came.
  private func isRedelivered(_ message: borrowing MessageView, _ kept: UnsafeRawBufferPointer) -> Bool {
    guard message.qos > 0 else { return false }
    let content = RedeliveryFilter.content(message.topic, kept, payloadBytes: message.payload.count)
    guard redeliveries.isRepeated(packetID: message.packetID, content: content) else { return false }
    redelivered += 1
    return true
  }

  // MARK: The connection

  private func connectIfDue() {
    guard client.socket < 0, !isConnecting, monotonicMs() >= connectAtMs else { return }
    do throws(MosquittoError) {
      try client.connect()
      isConnecting = true
    } catch { connectFailed(error) }
  }

  public func connected(sessionPresent: Bool) {
    isConnecting = false
    self.sessionPresent = sessionPresent
    if !sessionPresent { beginSession() }
    redeliveries.connected(sessionPresent: sessionPresent)
    // Also on a session that was kept: the filters may have changed since, and it costs one packet.
    do throws(MosquittoError) { try client.subscribe(options.subscriptions) } catch {
      observer?.disconnected(error)
    }
  }

  private func beginSession() {
    let lastContactMs = redeliveries.lastContactMs
    SessionStart.append(lastContactMs: lastContactMs, arrivalMs: arrivalMs, to: batch.entries)
    if let lastContactMs { observer?.sessionLost(fromMs: lastContactMs, toMs: arrivalMs) }
  }

  public func subscribed(grantedQoS: [UInt8]) {
    subscribedAtMs = monotonicMs()
    for (filter, code) in zip(options.subscriptions, grantedQoS) where code >= 0x80 {
      observer?.subscriptionRefused(filter, reasonCode: code)
    }
    observer?.subscribed(sessionPresent: sessionPresent)
  }

  public func connectFailed(_ reason: MosquittoError) {
    let delayMs = retryLater()
    observer?.connectFailed(reason, retryInMs: delayMs)
  }

  public func disconnected(_ reason: MosquittoError?) {
    // Only a connection that lasted is a success: two gateways with the same client id connect every time,
    // and throw each other out as often.
    if monotonicMs() - subscribedAtMs >= Backoff.lastMs { backoff.reset() }
    _ = retryLater()
    observer?.disconnected(reason)
  }

  private func retryLater() -> Int {
    isConnecting = false
    let delayMs = backoff.next()
    connectAtMs = monotonicMs() + delayMs
    return delayMs
  }

  public func published(packetID: UInt16, reasonCode: UInt8) {}

  private func disconnect() {
    client.disconnect()
    let deadlineMs = monotonicMs() + 1_000
    while client.wantsWrite && monotonicMs() < deadlineMs {
      client.writeTurn()
      _ = client.wait(timeoutMs: 10, forWriting: true)
    }
  }

  // MARK: Time

  private func housekeepIfDue() {
    guard monotonicMs() >= housekeepAtMs else { return }
    client.housekeepingTurn()
    observer?.secondPassed()
    housekeepAtMs = monotonicMs() + 1_000
  }

  private func sleepMs() -> Int {
    let untilConnect = client.socket < 0 ? max(0, connectAtMs - monotonicMs()) : 1_000
    return min(1_000, untilConnect)
  }
}

/// Milliseconds since 1970-01-01 UTC.
public func wallClockMs() -> Int64 { clockMs(CLOCK_REALTIME) }

private func monotonicMs() -> Int { Int(clockMs(CLOCK_MONOTONIC)) }

private func clockMs(_ clock: clockid_t) -> Int64 {
  var time = timespec()
  clock_gettime(clock, &time)
  return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}
