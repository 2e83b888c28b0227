// What the ingest loop needs of the engine: somebody who takes batches that are durable.

import Journal

/// A batch of entries on its way from the network to the engine and back.
// Owned by one of the two threads at a time; the queues hand it over.
public final class EntryBatch: @unchecked Sendable {
  public let entries = EntryBuffer()
  /// Asks for a checkpoint behind the entries; what the redelivery filter remembers there.
  public var checkpoint: RedeliveryFilter?

  public init() {}

  /// Makes the batch ready to be filled again.
  public func reset() {
    entries.reset()
    checkpoint = nil
  }
}

/// Plays batches in the order in which they are submitted, by and by.
public protocol BatchConsumer: AnyObject {
  /// Why it cannot go on, once that is so.
  var failure: PlayError? { get }
  /// Whether a checkpoint is being made; a second one is not asked for meanwhile.
  var isCheckpointing: Bool { get }
  /// Whether the journal is to be rolled behind what was submitted, and a checkpoint made there, so that nothing before
  /// it is needed any longer. True once for each time that the engine asks for it.
  func takeRollRequest() -> Bool
  /// An empty batch to fill; nil when none became free in time: the engine is behind.
  func freeBatch(timeoutMs: Int) -> EntryBatch?
  /// Hands over a batch that is durable.
  func submit(_ batch: EntryBatch)
}
