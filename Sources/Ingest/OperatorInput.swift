// What the operator gives the gateway while it runs, on its way to the ingest thread: other settings, and customer
// files that have changed.
//
// Invariants:
// - Settings reach the journal in a batch of their own turn, whole; what they change outside the engine changes in
//   the same turn, behind that batch.
// - Customer files go in a piece at a time, with the messages of a turn, so that no acknowledgement waits for a
//   large file.

import Playback
import Threads
import Synchronization

/// Settings that change while the gateway runs.
public struct SettingsChange: Sendable {
  /// The settings entry for the journal; nil where nothing changes that results depend on.
  public var journalText: [UInt8]?
  public var maxMessageBytes: Int
  public var minFreeBytes: Int
  public var checkpoints: CheckpointOptions
  /// Called on the ingest thread when all of it holds.
  public var whenApplied: @Sendable () -> Void

  public init(
    journalText: [UInt8]?, maxMessageBytes: Int, minFreeBytes: Int, checkpoints: CheckpointOptions,
    whenApplied: @escaping @Sendable () -> Void
  ) {
    self.journalText = journalText
    self.maxMessageBytes = maxMessageBytes
    self.minFreeBytes = minFreeBytes
    self.checkpoints = checkpoints
    self.whenApplied = whenApplied
  }
}

/// Hands settings and customer files to the ingest thread.
public final class OperatorInput: Sendable {
  private struct Waiting {
    var changes: [SettingsChange] = []
    var customers: (files: StagedCustomers, whenTaken: @Sendable () -> Void)?
  }

  private let waiting = Mutex(Waiting())
  private let wakeUp: WakeUp

  /// - Parameter wakeUp: the ingest loop's.
  public init(wakeUp: WakeUp) { self.wakeUp = wakeUp }

  public func apply(_ change: SettingsChange) {
    waiting.withLock { $0.changes.append(change) }
    wakeUp.signal()
  }

  /// - Parameter whenTaken: called on the ingest thread when all of them are durable; before that no others may
  ///   be given.
  public func load(_ files: StagedCustomers, whenTaken: @escaping @Sendable () -> Void) {
    waiting.withLock { waiting in
      precondition(waiting.customers == nil, "the customer files before these are still on their way")
      waiting.customers = (files, whenTaken)
    }
    wakeUp.signal()
  }

  // MARK: For the ingest thread

  func takeChange() -> SettingsChange? {
    waiting.withLock { $0.changes.isEmpty ? nil : $0.changes.removeFirst() }
  }

  var customers: StagedCustomers? { waiting.withLock { $0.customers?.files } }

  func customersAreDurable() {
    let whenTaken = waiting.withLock { waiting in
      defer { waiting.customers = nil }
      return waiting.customers?.whenTaken
    }
    whenTaken?()
  }

  /// Whether there is something to do without waiting for the network.
  var isWaiting: Bool { waiting.withLock { !$0.changes.isEmpty || $0.customers != nil } }
}
