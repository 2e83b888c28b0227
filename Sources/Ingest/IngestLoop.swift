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
import Playback
import Records
import Storage
import Threads

/// Why the loop ended.
public enum IngestError: Error, CustomStringConvertible {
  /// The journal cannot be written: what it holds is unknown, so the process must end.
  case storage(StorageError)
  /// The engine cannot go on.
  case engine(PlayError)
  /// The library does not withhold acknowledgements.
  case mosquitto(MosquittoError)
  /// Customer files that were checked and kept aside cannot be read back.
  case customers(JournalError)

  public var description: String {
    switch self {
    case .storage(let error): error.description
    case .engine(let error): error.description
    case .mosquitto(let error): error.description
    case .customers(let error): error.description
    }
  }
}

/// What happened between the gateway and the broker since the process began.
public struct IngestCounts: Equatable, Sendable {
  /// Messages that came, those among them that came again.
  public var messages = 0
  /// Messages that the broker sent again and that were in the journal already.
  public var redelivered = 0
  /// How often the broker had forgotten the session.
  public var sessionsLost = 0
}

/// What the loop keeps to. May change while it runs.
public struct IngestLimits: Sendable {
  /// A larger payload is journaled only in part, and judged `oversized`.
  public var maxMessageBytes: Int
  /// With less room on the disk nothing is read.
  public var minFreeBytes: Int
  public var checkpoints: CheckpointOptions

  public init(maxMessageBytes: Int, minFreeBytes: Int, checkpoints: CheckpointOptions) {
    self.maxMessageBytes = maxMessageBytes
    self.minFreeBytes = minFreeBytes
    self.checkpoints = checkpoints
  }
}

/// The ingest thread's work.
public final class IngestLoop {
  // One group commit: large enough that an fsync is shared by what a busy broker sends meanwhile, small
  // enough that it takes milliseconds.
  private static let batchMessages = 8192
  private static let batchBytes = 4 << 20
  // Messages between two looks at the batch's bytes.
  private static let turnMessages = 16
  private static let roomCheckMs = 250

  let connection: any BrokerConnection
  let subscriptions: [String]
  private var limits: IngestLimits
  private let journal: JournalWriter
  private let engine: any BatchConsumer
  let clock: any IngestClock
  private(set) var room: RoomWatch
  private var schedule: CheckpointSchedule
  /// Whether the journal was rolled for a checkpoint that is still to be asked for.
  private var isRolled = false
  private let wakeUp: WakeUp
  private let input: LocalInput?
  /// Busy but while it waits for the network.
  public let pulse = Pulse()
  weak var observer: (any IngestObserver)?
  var batch: EntryBatch
  /// What the broker may send again.
  public internal(set) var redeliveries: RedeliveryFilter
  public internal(set) var counts = IngestCounts()
  /// What other threads may know of the loop; told with each batch, and about once a second.
  public let published = PublishedIngestStatus()
  var connectionStatus = ConnectionStatus()
  var backoff: Backoff
  var connectAtMs = 0
  var subscribedAtMs = 0
  var subscribeDeadlineMs = 0
  /// Why the present connection's subscription could not be asked for.
  var subscribeFailure: MosquittoError?
  private var housekeepAtMs = 0
  var isConnecting = false
  var sessionPresent = false
  var arrivalMs: Int64 = 0
  private let isStopping: () -> Bool

  /// - Parameters:
  ///   - recovered: the journal and what is known of its messages.
  ///   - room: looks at the disk that holds the data folder.
  ///   - input: what the process itself adds to the journal while it runs.
  ///   - jitter: draws the random part of a pause between two attempts to connect.
  ///   - isStopping: asked after each turn; signal `wakeUp` when it changes.
  public init(
    connection: any BrokerConnection, subscriptions: [String], limits: IngestLimits, recovered: Recovered,
    engine: any BatchConsumer, room: RoomWatch, clock: any IngestClock = SystemClock(),
    jitter: @escaping (ClosedRange<Int>) -> Int = { .random(in: $0) }, wakeUp: WakeUp,
    input: LocalInput? = nil, observer: any IngestObserver, isStopping: @escaping () -> Bool
  ) {
    self.connection = connection
    self.subscriptions = subscriptions
    self.limits = limits
    journal = recovered.journal
    redeliveries = recovered.redeliveries
    schedule = CheckpointSchedule(
      limits.checkpoints, position: recovered.checkpointPosition, nowMs: clock.monotonicMs)
    self.engine = engine
    self.room = room
    self.clock = clock
    backoff = Backoff(draw: jitter)
    self.wakeUp = wakeUp
    self.input = input
    self.observer = observer
    self.isStopping = isStopping
    batch = EntryBatch()
    connection.delegate = self
  }

  /// Runs until it is told to stop or cannot go on. Leaves the session with the broker.
  public func run() throws(IngestError) {
    // Connecting waits for a network that may not answer, closing for a broker.
    defer { pulse.rests() }
    while !isStopping() {
      pulse.works()
      try watchRoom()
      pulse.rests()
      endUnsubscribed()
      connectIfDue()
      let ready = connection.wait(
        timeoutMs: sleepMs(), forWriting: connection.wantsWrite, wakeup: wakeUp.descriptor)
      pulse.works()
      if ready.wokenUp {
        wakeUp.reset()
        observer?.wokenUp()
      }
      if let failure = engine.failure { throw .engine(failure) }
      readBatch()
      try takeInput()
      try housekeepIfDue()
    }
    pulse.rests()
    disconnect()
  }

  // MARK: Reading and committing

  private func readBatch() {
    arrivalMs = clock.wallMs
    if connection.isConnected { redeliveries.inContact(atMs: arrivalMs) }
    repeat {
      let outcome = connection.readTurn(maxMessages: Self.turnMessages)
      if outcome == .drained { return }
    } while batch.entries.byteCount < Self.batchBytes && batch.entries.entryCount < Self.batchMessages
  }

  private func commit() throws(IngestError) {
    do throws(MosquittoError) { try connection.checkAcknowledgementsWithheld() } catch {
      throw .mosquitto(error)
    }
    guard batch.entries.entryCount > 0 else { return connection.writeTurn() }
    do throws(StorageError) {
      try journal.append(batch.entries)
      try journal.sync()
    } catch { throw .storage(error) }
    try rollIfAsked()
    requestCheckpointIfDue()
    engine.submit(batch)
    connection.writeTurn()
    publishStatus()
    batch = try nextBatch()
  }

  // While the engine is behind nothing is read, but the connection is kept alive.
  private func nextBatch() throws(IngestError) -> EntryBatch {
    while true {
      pulse.works()
      if let batch = engine.freeBatch(timeoutMs: 500) { return batch }
      if let failure = engine.failure { throw .engine(failure) }
      connection.housekeepingTurn()
      connection.writeTurn()
      publishStatus()
    }
  }

  private func rollIfAsked() throws(IngestError) {
    guard engine.takeRollRequest() else { return }
    do throws(StorageError) { try journal.roll() } catch { throw .storage(error) }
    isRolled = true
  }

  private func requestCheckpointIfDue() {
    let position = journal.durablePosition
    let nowMs = clock.monotonicMs
    guard !engine.isCheckpointing, isRolled || schedule.isDue(position: position, nowMs: nowMs) else {
      return
    }
    isRolled = false
    batch.checkpoint = redeliveries
    schedule.began(position: position, nowMs: nowMs)
  }

  func take(_ message: borrowing MessageView) {
    counts.messages += 1
    let isOversized = message.payload.count > limits.maxMessageBytes
    // Shorter than it was in any case: that is how the engine knows.
    let keptBytes = min(refusedTextBytes, limits.maxMessageBytes)
    let kept =
      isOversized ? UnsafeRawBufferPointer(rebasing: message.payload.prefix(keptBytes)) : message.payload
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
    counts.redelivered += 1
    return true
  }

  // MARK: What the process itself adds

  // Commits the batch that was read, with what waits of the process's own.
  private func takeInput() throws(IngestError) {
    if let failure = input?.failure { throw .customers(failure) }
    let local = input?.take()
    if let local { batch.entries.append(local.entries, arrivalMs: arrivalMs) }
    try commit()
    if let limits = local?.limits { apply(limits) }
    local?.whenDurable()
  }

  private func apply(_ new: IngestLimits) {
    limits = new
    schedule.options = new.checkpoints
    room.minFreeBytes = new.minFreeBytes
  }

  // MARK: Room on the disk

  // Without room nothing is read. The session stays, so the broker keeps the messages; a connection that nobody
  // reads would only break by itself later.
  private func watchRoom() throws(IngestError) {
    let wasLow = room.isLow
    do throws(StorageError) { try room.look(nowMs: clock.monotonicMs) } catch { throw .storage(error) }
    guard room.isLow != wasLow else { return }
    enter(room.isLow ? .noRoom(freeBytes: room.freeBytes) : .connecting)
    observer?.roomChanged(
      isLow: room.isLow, freeBytes: room.freeBytes, minFreeBytes: room.minFreeBytes)
    if room.isLow { disconnect() } else { connectAtMs = clock.monotonicMs }
  }

  // MARK: Time

  private func housekeepIfDue() throws(IngestError) {
    guard clock.monotonicMs >= housekeepAtMs else { return }
    connection.housekeepingTurn()
    publishStatus()
    observer?.secondPassed()
    housekeepAtMs = clock.monotonicMs + 1_000
    try checkpointInSilence()
  }

  // Also what came just before a silence is to be in a checkpoint one day.
  private func checkpointInSilence() throws(IngestError) {
    guard batch.entries.entryCount == 0 else { return }
    try rollIfAsked()
    requestCheckpointIfDue()
    guard batch.checkpoint != nil else { return }
    engine.submit(batch)
    batch = try nextBatch()
  }

  func publishStatus() {
    var status = IngestStatus()
    status.counts = counts
    status.connection = connectionStatus
    status.minFreeBytes = room.minFreeBytes
    status.journalPosition = journal.durablePosition
    status.toldAtMs = clock.monotonicMs
    published.tell(status)
  }

  private func sleepMs() -> Int {
    if input?.isWaiting == true { return 0 }
    if room.isLow { return Self.roomCheckMs }
    let untilConnect = connection.socket < 0 ? max(0, connectAtMs - clock.monotonicMs) : 1_000
    return min(1_000, untilConnect)
  }
}
