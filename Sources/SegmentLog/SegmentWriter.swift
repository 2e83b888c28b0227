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
//
// A table can be opened at its end, or at any earlier position to be fed the rows from there on once more
// (SegmentWriter+CatchUp.swift).

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
  /// What was found when the table was opened at its end. Of a table that is fed rows once more it tells
  /// only where, see `takeFindings`.
  public let openReport: OpenReport
  let fileSystem: any FileSystem
  let directory: String
  let options: SegmentOptions
  var active: ActiveSegment
  /// What is there behind the rows so far.
  var ahead: RowsAhead
  /// A file or link was created that `syncDirectory` has not made durable yet.
  var namesAreUnsynced = true
  /// The segment that `current.ndjson` points to.
  var linkedBase: Int?
  private var failure: StorageError?

  init(
    _ fileSystem: any FileSystem, _ directory: String, _ options: SegmentOptions, active: ActiveSegment,
    ahead: RowsAhead, openReport: OpenReport
  ) {
    self.fileSystem = fileSystem
    self.directory = directory
    self.options = options
    self.active = active
    self.ahead = ahead
    self.openReport = openReport
  }

  /// Opens the table in `directory` at its end, creating it if it is not there. A torn last row is cut off,
  /// see `openReport`; damage in what was on stable storage is thrown and left as it is.
  public convenience init(
    fileSystem: any FileSystem, directory: String, options: SegmentOptions = SegmentOptions()
  ) throws(SegmentLogError) {
    let names = try storage { () throws(StorageError) in
      try fileSystem.createDirectories(directory)
      return try fileSystem.list(directory)
    }
    let newest = names.compactMap(baseOffset(ofSegment:)).max()
    try refuseOrphanedChecksums(names, after: newest ?? -1, fileSystem, directory)
    let found =
      if let newest {
        try recoverSegment(newest, fileSystem, directory)
      } else {
        try storage { () throws(StorageError) in try createFirstSegment(fileSystem, directory) }
      }
    self.init(
      fileSystem, directory, options, active: found.segment, ahead: RowsAhead(), openReport: found.report)
    try storage { () throws(StorageError) in
      // The last process may have ended between sealing a segment and creating the next.
      if found.isSealed {
        try syncActive()
        try startSegment()
      } else if active.bytes >= options.segmentBytes {
        try rollOver()
      } else {
        try linkActive()
      }
    }
  }

  /// The log end offset: that of the next row. While rows are compared it is that of the next to be given.
  public var endOffset: Int { active.endOffset - ahead.rowsToDrop }

  /// The length of the active segment, up to the next row.
  public var activeSegmentBytes: Int { active.bytes }

  /// Where the next row goes, after all that were appended so far, be they compared or written.
  public var position: TablePosition {
    TablePosition(baseOffset: active.baseOffset, byte: active.bytes, offset: endOffset)
  }

  /// Appends whole rows, each ending in a line feed, with one write (one more for each segment that they
  /// fill). `rowCount` is how many they are. Rows that are there already are only compared. Not durable
  /// before `sync`.
  public func append(_ rows: UnsafeRawBufferPointer, rowCount: Int) throws(StorageError) {
    precondition(rowCount > 0 && rows.last == lineFeed, "a batch is one or more whole rows")
    assert(rows.rowCount == rowCount, "the batch has another number of rows than was said")
    try guarded { () throws(StorageError) in
      var rest = rows
      var restRows = rowCount
      try catchUp(&rest, &restRows)
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

  /// Seals the active segment and starts the next, unless the active one is empty. While rows are compared
  /// nothing happens: the segments end where they did.
  public func roll() throws(StorageError) {
    try guarded { () throws(StorageError) in
      if active.bytes > 0 && !isCatchingUp { try rollOver() }
    }
  }

  /// Makes all rows durable: the data, then the names of files created since, then the checksums.
  public func sync() throws(StorageError) {
    try guarded { () throws(StorageError) in try syncActive() }
  }

  /// Tells that somebody else has synced the segment of `position` to there, and the names in the table's
  /// folder: the checksums that this allows are written, not synced. Nothing happens if another segment has
  /// become the active one; it was synced then.
  public func rowsAreDurable(to position: TablePosition) throws(StorageError) {
    try guarded { () throws(StorageError) in
      if position.baseOffset == active.baseOffset { try active.writeChecksums(to: position.byte) }
    }
  }

  /// As `sync`, and ends the last checksum block, so that the next opening finds all rows covered. If rows
  /// are there that were not compared yet, the block stays open for them.
  public func close() throws(StorageError) {
    try guarded { () throws(StorageError) in
      if active.bytes == active.fileBytes { active.endBlock() }
      try syncActive()
    }
  }

  func syncActive(sealing: Bool = false) throws(StorageError) {
    try active.syncRows()
    if namesAreUnsynced {
      try fileSystem.syncDirectory(directory)
      namesAreUnsynced = false
    }
    try active.syncChecksums(sealing: sealing)
  }

  func rollOver() throws(StorageError) {
    active.endBlock()
    try syncActive(sealing: true)
    try startSegment()
  }

  private func startSegment() throws(StorageError) {
    active = try ActiveSegment(creating: active.endOffset, fileSystem, directory)
    namesAreUnsynced = true
    try linkActive()
  }

  func linkActive() throws(StorageError) {
    try link(to: active.baseOffset)
  }

  func link(to base: Int) throws(StorageError) {
    try fileSystem.replaceLink("\(directory)/\(currentLinkName)", target: segmentName(base))
    linkedBase = base
    namesAreUnsynced = true
  }

  /// Runs `body` unless the writer has failed before, and remembers its failure.
  func guarded<Result>(_ body: () throws(StorageError) -> Result) throws(StorageError) -> Result {
    if let failure { throw failure }
    do { return try body() } catch {
      failure = error
      throw error
    }
  }
}
