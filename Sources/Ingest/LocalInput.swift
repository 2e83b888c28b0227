// What the process itself adds to the journal while it runs, on its way to the ingest thread: other settings, customer
// files that have changed. What decides about results and did not come from the broker is an entry, like a message.
//
// Invariants:
// - Entries reach the journal in the order in which they are put, those of one `put` in one batch, with the messages
//   of its turn; what changes outside the engine changes in the same turn, behind that batch.
// - A turn takes those of one `put`, and few wait: so no acknowledgement waits for a large file, and memory is bounded.

import Journal
import Playback
import Synchronization
import Threads

/// Entries for one turn of the ingest thread, and what holds from then on.
// Handed over whole: who puts them does not touch the buffer again.
public struct LocalEntries: @unchecked Sendable {
  let entries: EntryBuffer
  let limits: IngestLimits?
  let whenDurable: @Sendable () -> Void

  /// - Parameters:
  ///   - entries: get the turn's time for their arrival.
  ///   - limits: hold behind the entries; nil: those before stay.
  ///   - whenDurable: called on the ingest thread when the entries are on stable storage and all of it holds.
  public init(
    _ entries: EntryBuffer, limits: IngestLimits? = nil, whenDurable: @escaping @Sendable () -> Void = {}
  ) {
    self.entries = entries
    self.limits = limits
    self.whenDurable = whenDurable
  }
}

/// Hands entries to the ingest thread.
public final class LocalInput: Sendable {
  // A piece of a customer file is no smaller than the file if that is one JSON array.
  private static let capacity = 2

  private let waiting = BoundedQueue<LocalEntries>(capacity: capacity)
  private let failed = Mutex<JournalError?>(nil)
  private let wakeUp: WakeUp

  /// - Parameter wakeUp: the ingest loop's.
  public init(wakeUp: WakeUp) { self.wakeUp = wakeUp }

  /// Waits for room. Any thread but the ingest loop's.
  public func put(_ entries: LocalEntries) {
    _ = waiting.put(entries)
    wakeUp.signal()
  }

  /// What was to be put next cannot be read back: the process has to end, and the next one begins with it anew.
  public func fail(_ error: JournalError) {
    failed.withLock { $0 = error }
    wakeUp.signal()
  }

  // MARK: For the ingest thread

  var failure: JournalError? { failed.withLock { $0 } }

  /// Whether there is something to do without waiting for the network.
  var isWaiting: Bool { !waiting.isEmpty }

  func take() -> LocalEntries? { waiting.take(timeoutMs: 0) }
}
