// What the ingest thread says of itself, for other threads to read.
//
// Invariant: the ingest thread never waits for a reader: a reader holds the lock for one copy.

import Synchronization

/// What the ingest loop was doing when it last told.
public struct IngestStatus: Equatable, Sendable {
  public var counts = IngestCounts()
  public var connection = ConnectionStatus()
  /// `storage.min_free_bytes` as it is now; nil before the loop runs.
  public var minFreeBytes: Int?
  /// The journal's position below which all is on stable storage.
  public var journalPosition = 0
  /// When this was told, by a clock that never runs backwards; milliseconds.
  public var toldAtMs = 0

  public init() {}
}

/// Where the ingest thread leaves its status.
public final class PublishedIngestStatus: Sendable {
  private let status = Mutex(IngestStatus())

  public init() {}

  /// What was told last.
  public var latest: IngestStatus { status.withLock { $0 } }

  public func tell(_ new: IngestStatus) { status.withLock { $0 = new } }
}
