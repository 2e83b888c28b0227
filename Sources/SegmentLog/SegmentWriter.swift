// The one writer of a table: a folder of segments of newline-delimited rows (docs/segment-format.md).
//
// Invariants:
// - a row's offset is its number in the table, from 0; rows are only ever added at the end;
// - the bytes of the segments depend on the rows alone, never on how they were cut into batches;
// - only the newest segment may be without the mark of a sealed one, or end torn: before the next one is
//   created, everything of the one before is on stable storage;
// - once the table is open, `current.ndjson` points to an existing segment, the newest but for the
//   instant of a roll;
// - after an error the writer is done: what the disk then holds is unknown to it. Every later call throws
//   that error again; opening the table anew finds out and continues.

import Storage

/// When a segment is complete.
public struct SegmentOptions: Sendable {
  /// A segment is sealed with the first row whose end reaches this.
  public var segmentBytes: Int

  public init(segmentBytes: Int = 64 << 20) {
    precondition(segmentBytes > 0)
    self.segmentBytes = segmentBytes
  }
}

/// Appends rows to a table. One writer a table, one thread at a time.
public final class SegmentWriter {
  /// What was found when the table was opened.
  public let openReport: OpenReport
  private let fileSystem: any FileSystem
  private let directory: String
  private let options: SegmentOptions
  private var active: ActiveSegment
  /// A file or link was created that `syncDirectory` has not made durable yet.
  private var namesAreUnsynced = true
  private var failure: StorageError?

  /// Opens the table in `directory`, creating it if it is not there. A torn last row is cut off, see
  /// `openReport`; damage in what was on stable storage is thrown and left as it is.
  public init(
    fileSystem: any FileSystem, directory: String, options: SegmentOptions = SegmentOptions()
  ) throws(SegmentLogError) {
    self.fileSystem = fileSystem
    self.directory = directory
    self.options = options
    let names = try storage { () throws(StorageError) in
      try fileSystem.createDirectories(directory)
      return try fileSystem.list(directory)
    }
    let newest = names.compactMap(baseOffset(ofSegment:)).max()
    try refuseOrphanedChecksums(names, after: newest ?? -1, fileSystem, directory)
    guard let newest else {
      active = try storage { () throws(StorageError) in
        try ActiveSegment(creating: 0, fileSystem, directory)
      }
      openReport = OpenReport(endOffset: 0)
      try storage { () throws(StorageError) in try linkActive() }
      return
    }
    let recovered = try recoverSegment(newest, fileSystem, directory)
    active = recovered.segment
    openReport = recovered.report
    try storage { () throws(StorageError) in
      // The last process may have ended between sealing a segment and creating the next.
      if recovered.isSealed {
        try startSegment()
      } else if active.bytes >= options.segmentBytes {
        try rollOver()
      } else {
        try linkActive()
      }
    }
  }

  /// The log end offset: that of the next row.
  public var endOffset: Int { active.endOffset }

  /// The length of the active segment.
  public var activeSegmentBytes: Int { active.bytes }

  /// Appends whole rows, each ending in a line feed, with one write (one more for each segment that they
  /// fill). `rowCount` is how many they are. Not durable before `sync`.
  public func append(_ rows: UnsafeRawBufferPointer, rowCount: Int) throws(StorageError) {
    precondition(rowCount > 0 && rows.last == lineFeed, "a batch is one or more whole rows")
    assert(rows.rowCount == rowCount, "the batch has another number of rows than was said")
    try guarded { () throws(StorageError) in
      var rest = rows
      var restRows = rowCount
      while !rest.isEmpty {
        let cut = rest.rowEnd(atLeast: options.segmentBytes - active.bytes)
        let part = rest.first(cut ?? rest.count)
        let partRows = part.count == rest.count ? restRows : part.rowCount
        try active.append(part, rowCount: partRows)
        if cut != nil { try rollOver() }
        rest = rest.after(part.count)
        restRows -= partRows
      }
    }
  }

  /// Seals the active segment and starts the next, unless the active one is empty.
  public func roll() throws(StorageError) {
    try guarded { () throws(StorageError) in
      if active.bytes > 0 { try rollOver() }
    }
  }

  /// Makes all rows durable: the data, then the names of files created since, then the checksums.
  public func sync() throws(StorageError) {
    try guarded { () throws(StorageError) in try syncActive() }
  }

  /// As `sync`, and ends the last checksum block, so that the next opening finds all rows covered.
  public func close() throws(StorageError) {
    try guarded { () throws(StorageError) in
      active.endBlock()
      try syncActive()
    }
  }

  private func syncActive(sealing: Bool = false) throws(StorageError) {
    try active.syncRows()
    if namesAreUnsynced {
      try fileSystem.syncDirectory(directory)
      namesAreUnsynced = false
    }
    try active.syncChecksums(sealing: sealing)
  }

  private func rollOver() throws(StorageError) {
    active.endBlock()
    try syncActive(sealing: true)
    try startSegment()
  }

  private func startSegment() throws(StorageError) {
    active = try ActiveSegment(creating: active.endOffset, fileSystem, directory)
    namesAreUnsynced = true
    try linkActive()
  }

  private func linkActive() throws(StorageError) {
    try fileSystem.replaceLink("\(directory)/\(currentLinkName)", target: segmentName(active.baseOffset))
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
