// The write-ahead log's one writer. What it has made durable may be acknowledged, and nothing else.
//
// Invariants:
// - `durablePosition <= endPosition`; every entry below `durablePosition` is on stable storage;
// - only the newest segment may end torn: before the next one is created, all of the one before is durable,
//   and before the first entry is written to it, its name and header are;
// - an entry is written once, whole, and never changed; a position is never used twice for entries that
//   were durable;
// - after an error the writer is done: after a failed write the file's end is unknown, and after a failed
//   sync it is unknown what it covered, and asking again would not tell (the kernel reports a lost page
//   once, then takes it for clean). Every later call throws that error again. The process has to end;
//   opening the journal anew finds out what is there.

import Storage

/// When a segment is complete.
public struct JournalOptions: Sendable {
  /// A segment that has reached this gets no further batch.
  public var segmentBytes: Int

  public init(segmentBytes: Int = 64 << 20) {
    precondition(segmentBytes > 0)
    self.segmentBytes = segmentBytes
  }
}

/// What was found on opening a journal.
public struct JournalOpenReport: Equatable, Sendable {
  /// The position of the next entry.
  public internal(set) var endPosition: Int
  /// The torn end of the last write that was cut off, if there was one: its file, the byte in it, and its
  /// length. It was never acknowledged, so the broker sends it again.
  public internal(set) var tornTail: TornTail?

  public struct TornTail: Equatable, Sendable {
    public let path: String
    public let byte: Int
    public let bytes: Int
  }
}

/// Appends entries to a journal. One writer a journal, one thread at a time.
public final class JournalWriter {
  /// What was found when the journal was opened.
  public let openReport: JournalOpenReport
  /// The position after all entries.
  public private(set) var endPosition: Int
  /// The position after the entries that are on stable storage.
  public private(set) var durablePosition: Int
  private let fileSystem: any FileSystem
  private let directory: String
  private let options: JournalOptions
  private var file: any File
  private var basePosition: Int
  private var failure: StorageError?

  /// Opens the journal in `directory`, creating it if it is not there. The newest segment is checked and a
  /// torn end of the last write is cut off, see `openReport`; all that is left is made durable. Damage in
  /// the newest segment, and a gap before it, are thrown and left as they are.
  public init(
    fileSystem: any FileSystem, directory: String, options: JournalOptions = JournalOptions()
  ) throws(JournalError) {
    self.fileSystem = fileSystem
    self.directory = directory
    self.options = options
    let opened = try openNewestSegment(fileSystem, directory)
    file = opened.file
    basePosition = opened.basePosition
    openReport = opened.report
    endPosition = opened.report.endPosition
    durablePosition = opened.report.endPosition
  }

  /// Writes the entries with one write, and gives them their positions and checksums. An empty buffer is
  /// no error. Not durable before `sync`.
  public func append(_ buffer: EntryBuffer) throws(StorageError) {
    try guarded { () throws(StorageError) in
      guard buffer.byteCount > 0 else { return }
      if endPosition - basePosition >= options.segmentBytes { try startSegment() }
      buffer.seal(at: endPosition, durablePosition: durablePosition)
      try file.append(buffer.bytes)
      endPosition += buffer.byteCount
    }
  }

  /// Begins a new segment behind all entries, so that those before can be trimmed away.
  public func roll() throws(StorageError) {
    try guarded { () throws(StorageError) in if endPosition > basePosition { try startSegment() } }
  }

  /// Makes all entries durable, and moves `durablePosition` to `endPosition`.
  public func sync() throws(StorageError) {
    try guarded { () throws(StorageError) in try syncAll() }
  }

  private func syncAll() throws(StorageError) {
    do { try file.syncData() } catch {
      cutUnsynced()
      throw error
    }
    durablePosition = endPosition
  }

  // After a failed sync the kernel may count pages as clean that the disk does not have. The next start would
  // read these entries from its memory and take them for durable; nobody was told of them yet, so they go. (If
  // even that fails there is nothing left to try, and the sync's error is the one to tell.)
  private func cutUnsynced() {
    try? file.truncate(to: JournalFormat.fileHeaderBytes + durablePosition - basePosition)
  }

  private func startSegment() throws(StorageError) {
    try syncAll()
    file = try createSegment(endPosition, fileSystem, directory)
    basePosition = endPosition
  }

  /// Runs `body` unless the writer has failed before, and remembers its failure.
  private func guarded(_ body: () throws(StorageError) -> Void) throws(StorageError) {
    if let failure { throw failure }
    do { try body() } catch {
      failure = error
      throw error
    }
  }
}
