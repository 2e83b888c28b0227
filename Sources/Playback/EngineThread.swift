// The engine's thread: takes batches that are durable, judges them and writes their rows.
//
// Invariants:
// - Batches are played in the order in which they were submitted.
// - After each batch all of its rows are in the segments: a reader sees them at once.
// - After an error nothing more is played, and whoever waits is woken.
// - A checkpoint is a copy of the state between two batches; writing it keeps nobody waiting.

import Dispatch
import Journal
import Pipeline
import Records
import SegmentLog
import Storage
import Synchronization
import Threads

/// Runs an engine on a thread of its own, and writes its checkpoints on another.
// `player` is touched by the engine's thread alone between `start` and the end of `stop`.
public final class EngineThread: BatchConsumer, @unchecked Sendable {
  private struct State {
    var status = PipelineStatus()
    var failure: PlayError?
    var isCheckpointing = false
    var isRollRequested = false
    /// The rows that the last checkpoint made durable, until the tables are told.
    var durable: [Table: TablePosition]?

    mutating func takeDurable() -> [Table: TablePosition]? {
      defer { durable = nil }
      return durable
    }
  }

  // Enough that the network goes on reading while the engine is busy with one batch.
  private static let batchCount = 4

  private let player: EntryPlayer
  private let checkpoints: CheckpointStore
  // The engine's while `isCheckpointing` is false, the checkpoint thread's while it is true.
  private let checkpoint = PendingCheckpoint()
  private let free = BoundedQueue<EntryBatch>(capacity: batchCount)
  private let filled = BoundedQueue<EntryBatch>(capacity: batchCount)
  private let thread = DispatchQueue(label: "stepgate.engine")
  private let checkpointThread = DispatchQueue(label: "stepgate.checkpoint")
  private let state = Mutex(State())
  private let onFailure: @Sendable () -> Void
  private let pulse = Pulse()

  /// - Parameter onFailure: called on a thread of the engine when it cannot go on.
  public init(player: EntryPlayer, checkpoints: CheckpointStore, onFailure: @escaping @Sendable () -> Void) {
    self.player = player
    self.checkpoints = checkpoints
    self.onFailure = onFailure
    for _ in 0..<Self.batchCount { _ = free.put(EntryBatch()) }
    state.withLock { $0.status = PipelineStatus(player) }
  }

  public func start() {
    thread.async { self.run() }
  }

  private func run() {
    do throws(PlayError) {
      defer { pulse.rests() }
      while let batch = filled.take() {
        pulse.works()
        try player.play(batch.entries)
        if let redeliveries = batch.checkpoint { checkpoint(remembering: redeliveries) }
        batch.reset()
        try noteDurableRows()
        publishStatus()
        pulse.rests()
        _ = free.put(batch)
      }
    } catch { fail(error) }
  }

  private func publishStatus() {
    var status = PipelineStatus(player)
    state.withLock { state in
      status.checkpointPosition = state.status.checkpointPosition
      status.checkpointMs = state.status.checkpointMs
      state.status = status
    }
  }

  private func fail(_ error: PlayError) {
    state.withLock { $0.failure = $0.failure ?? error }
    onFailure()
  }

  // MARK: Checkpoints

  // Only the copy of the state is made here; the disk is waited for elsewhere. A second request may have been on
  // its way when the first began: the next one makes up for it.
  private func checkpoint(remembering redeliveries: RedeliveryFilter) {
    guard !isCheckpointing else { return }
    player.checkpoint(remembering: redeliveries, into: checkpoint)
    state.withLock { $0.isCheckpointing = true }
    checkpointThread.async {
      do throws(PlayError) { try self.writeCheckpoint() } catch { self.fail(error) }
      self.state.withLock { $0.isCheckpointing = false }
    }
  }

  private func writeCheckpoint() throws(PlayError) {
    do { try checkpoints.write(checkpoint) } catch { throw .checkpoint(error) }
    state.withLock { state in
      state.durable = checkpoint.tables
      state.status.checkpointPosition = checkpoint.position
      state.status.checkpointMs = SystemClock().wallMs
    }
  }

  private func noteDurableRows() throws(PlayError) {
    guard let durable = state.withLock({ $0.takeDurable() }) else { return }
    do { try player.engine.tables.rowsAreDurable(to: durable) } catch { throw .tables(.storage(error)) }
  }

  // MARK: For other threads

  /// A step is a batch that is played, or a piece of a checkpoint that is written.
  public var pulses: [(name: String, pulse: Pulse)] {
    [("the engine", pulse), ("the checkpoint", checkpoints.pulse)]
  }

  /// What the pipeline had done after the last batch.
  public var status: PipelineStatus { state.withLock { $0.status } }

  /// Why the engine stopped by itself, if it did.
  public var failure: PlayError? { state.withLock { $0.failure } }

  /// Asks the ingest loop for a new segment of the journal, and a checkpoint at its beginning.
  func requestRoll() { state.withLock { $0.isRollRequested = true } }

  public func takeRollRequest() -> Bool {
    state.withLock { state in
      defer { state.isRollRequested = false }
      return state.isRollRequested
    }
  }

  public var isCheckpointing: Bool { state.withLock { $0.isCheckpointing } }

  public func freeBatch(timeoutMs: Int) -> EntryBatch? { free.take(timeoutMs: timeoutMs) }

  public func submit(_ batch: EntryBatch) { _ = filled.put(batch) }

  /// Lets the engine finish what was submitted, and closes the tables.
  /// - Parameter redeliveries: with it, a last checkpoint is written, so that the next start has nothing to play.
  public func stop(checkpoint redeliveries: RedeliveryFilter? = nil) throws(PlayError) {
    filled.close()
    thread.sync {}
    checkpointThread.sync {}
    if let failure { throw failure }
    do { try player.engine.tables.close() } catch { throw .tables(.storage(error)) }
    if let redeliveries {
      player.checkpoint(remembering: redeliveries, into: checkpoint)
      try writeCheckpoint()
    }
    publishStatus()
  }
}
