// The engine's two threads as steps that the simulation takes when it likes: a batch is played, or lags behind; a
// checkpoint is made in one step and written in a later one. What `EngineThread` is to a real gateway.
//
// Invariant: what a step does, and what an error ends, is as in EngineThread.swift.

import Pipeline
import Playback
import Records
import SegmentLog
import Storage

final class SteppedEngine: BatchConsumer {
  private static let batchCount = 3
  // For no reason but to see that nothing depends on when it is.
  private static let batchesBetweenRolls = 16

  let player: EntryPlayer
  private let store: CheckpointStore
  private var free = (0..<batchCount).map { _ in EntryBatch() }
  private var filled: [EntryBatch] = []
  private var checkpoint = PendingCheckpoint()
  /// The rows that the last checkpoint made durable, until the tables are told.
  private var durable: [Table: TablePosition]?
  private var isPlaying = false
  private var isWriting = false
  private(set) var isCheckpointing = false
  private var hasFailedToPlay = false
  private(set) var failure: PlayError?
  private(set) var checkpointsWritten = 0
  private var batchesPlayed = 0
  private var isRollRequested = false
  /// Told of each batch, which is durable.
  var whenSubmitted: (EntryBatch) -> Void = { _ in }
  /// Lets the engine and others work while no batch is free.
  var whileBehind: (_ timeoutMs: Int) -> Void = { _ in }
  /// Plants a bug into checkpoints.
  var spoil: (PendingCheckpoint) -> PendingCheckpoint = { $0 }

  init(_ player: EntryPlayer, _ store: CheckpointStore) {
    self.player = player
    self.store = store
  }

  // MARK: The engine's thread

  var canPlay: Bool { !filled.isEmpty && !isPlaying && !hasFailedToPlay }

  /// Plays the next batch.
  func play() {
    guard canPlay else { return }
    isPlaying = true
    defer { isPlaying = false }
    let batch = filled.removeFirst()
    do throws(PlayError) {
      try player.play(batch.entries)
      batchesPlayed += 1
      if batchesPlayed.isMultiple(of: Self.batchesBetweenRolls) { isRollRequested = true }
      if let redeliveries = batch.checkpoint, !isCheckpointing {
        makeCheckpoint(redeliveries)
        isCheckpointing = true
      }
      batch.reset()
      try noteDurableRows()
      free.append(batch)
    } catch {
      hasFailedToPlay = true
      fail(error)
    }
  }

  private func noteDurableRows() throws(PlayError) {
    guard let durable else { return }
    self.durable = nil
    do { try player.engine.tables.rowsAreDurable(to: durable) } catch { throw .tables(.storage(error)) }
  }

  // MARK: The checkpoints' thread

  private func makeCheckpoint(_ redeliveries: RedeliveryFilter) {
    checkpoint = spoil(player.checkpoint(remembering: redeliveries, into: checkpoint))
  }

  var canWrite: Bool { isCheckpointing && !isWriting }

  /// Writes the checkpoint that was made.
  func writeCheckpoint() {
    guard canWrite else { return }
    isWriting = true
    do throws(PlayError) { try write() } catch { fail(error) }
    isWriting = false
    isCheckpointing = false
  }

  private func write() throws(PlayError) {
    do { try store.write(checkpoint) } catch { throw .checkpoint(error) }
    durable = checkpoint.tables
    checkpointsWritten += 1
  }

  func fail(_ error: PlayError) { failure = failure ?? error }

  // MARK: For the ingest loop

  func takeRollRequest() -> Bool {
    defer { isRollRequested = false }
    return isRollRequested
  }

  func freeBatch(timeoutMs: Int) -> EntryBatch? {
    if free.isEmpty { whileBehind(timeoutMs) }
    return free.popLast()
  }

  func submit(_ batch: EntryBatch) {
    whenSubmitted(batch)
    filled.append(batch)
  }

  /// The end: plays what was submitted, and closes the tables.
  func stop(checkpoint redeliveries: RedeliveryFilter?) throws(PlayError) {
    while canPlay { play() }
    writeCheckpoint()
    if let failure { throw failure }
    do { try player.engine.tables.close() } catch { throw .tables(.storage(error)) }
    if let redeliveries {
      makeCheckpoint(redeliveries)
      try write()
    }
  }
}
