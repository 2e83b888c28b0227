// The engine's thread: takes batches that are durable, judges them and writes their rows.
//
// Invariants:
// - Batches are played in the order in which they were submitted.
// - After each batch all of its rows are in the segments: a reader sees them at once.
// - After an error nothing more is played, and whoever waits is woken.

import Dispatch
import Join
import Journal
import Pipeline
import Records
import Storage
import Synchronization

/// A batch of entries on its way from the network to the engine and back.
// Owned by one of the two threads at a time; the queues hand it over.
public final class EntryBatch: @unchecked Sendable {
  public let entries = EntryBuffer()
}

/// What the pipeline has done so far.
public struct PipelineStatus: Sendable {
  public var counts = VerdictCounts()
  public var rows: [Table: Int] = [:]
  public var joinCounts = JoinCounts()
  public var readingsInState = 0
  public var customers = 0

  init() {}

  public init(_ engine: Engine) {
    counts = engine.counts
    rows = engine.rowCounts
    joinCounts = engine.joinCounts
    readingsInState = engine.readingsInState
    customers = engine.customerCount
  }
}

/// Runs an engine on a thread of its own.
// `player` is touched by the engine's thread alone between `start` and the end of `stop`.
public final class EngineThread: @unchecked Sendable {
  // Enough that the network goes on reading while the engine is busy with one batch.
  private static let batchCount = 8

  private let player: EntryPlayer
  private let free = BoundedQueue<EntryBatch>(capacity: batchCount)
  private let filled = BoundedQueue<EntryBatch>(capacity: batchCount)
  private let thread = DispatchQueue(label: "stepgate.engine")
  private let state = Mutex<(status: PipelineStatus, failure: PlayError?)>((PipelineStatus(), nil))
  private let onFailure: @Sendable () -> Void

  /// - Parameter onFailure: called on the engine's thread when it cannot go on.
  public init(player: EntryPlayer, onFailure: @escaping @Sendable () -> Void) {
    self.player = player
    self.onFailure = onFailure
    for _ in 0..<Self.batchCount { _ = free.put(EntryBatch()) }
    state.withLock { $0.status = PipelineStatus(player.engine) }
  }

  public func start() {
    thread.async { self.run() }
  }

  private func run() {
    do throws(PlayError) {
      while let batch = filled.take() {
        try player.play(batch.entries)
        batch.entries.reset()
        let status = PipelineStatus(player.engine)
        state.withLock { $0.status = status }
        _ = free.put(batch)
      }
      try close()
    } catch {
      state.withLock { $0.failure = error }
      onFailure()
    }
  }

  private func close() throws(PlayError) {
    do { try player.engine.close() } catch { throw .tables(.storage(error)) }
  }

  /// What the pipeline had done after the last batch.
  public var status: PipelineStatus { state.withLock { $0.status } }

  /// Why the engine stopped by itself, if it did.
  public var failure: PlayError? { state.withLock { $0.failure } }

  /// An empty batch to fill; nil when none became free in time: the engine is behind.
  func freeBatch(timeoutMs: Int) -> EntryBatch? { free.take(timeoutMs: timeoutMs) }

  /// Hands over a batch that is durable.
  func submit(_ batch: EntryBatch) { _ = filled.put(batch) }

  /// Lets the engine finish what was submitted and close the tables.
  public func stop() throws(PlayError) {
    filled.close()
    thread.sync {}
    if let failure { throw failure }
  }
}
