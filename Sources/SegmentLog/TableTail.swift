// Follows a table from a row on, across segments, while it is being written or after.
//
// Invariants: every row from the start offset on is given once, in order, whole; a row that is torn or not
// yet there is given when it is whole. Only the writer's order is relied on: a segment's last row is
// written before the next segment is created.
//
// A table may have very many segments, and is asked again ten times a second: so the folder is listed once, and then
// only when one name of a later segment is found, or none can be relied on.

import Storage

/// Consecutive whole rows.
public struct RowChunk {
  /// The offset of the first row.
  public let firstOffset: Int
  public let rowCount: Int
  /// The rows, each ending in a line feed. Good until the next call of what gave them.
  public let bytes: UnsafeRawBufferPointer

  /// The rows from `offset` on; nil if there are none.
  func dropping(before offset: Int) -> RowChunk? {
    if firstOffset >= offset { return self }
    guard firstOffset + rowCount > offset else { return nil }
    var rest = bytes
    for _ in firstOffset..<offset {
      rest = rest.after(rest.rowEnd(atLeast: 1) ?? rest.count)
    }
    return RowChunk(firstOffset: offset, rowCount: firstOffset + rowCount - offset, bytes: rest)
  }
}

/// A reader of a table that never ends: it can be asked again for what has come since. One thread at a time.
public final class TableTail {
  /// The offset of the row after those given so far, or the start.
  public private(set) var nextOffset: Int
  private let fileSystem: any FileSystem
  private let directory: String
  private var segment: SegmentCursor?
  /// Segments after `segment`, ascending, as they were listed; if there are any, `segment` grows no more.
  private var later: ArraySlice<Int> = []

  /// Starts at the row `startOffset`, which need not exist yet; nor need the table.
  public init(fileSystem: any FileSystem, directory: String, from startOffset: Int) {
    precondition(startOffset >= 0)
    self.fileSystem = fileSystem
    self.directory = directory
    nextOffset = startOffset
  }

  /// The next rows, or nil if there is nothing new; then ask again later. A table that lacks rows which
  /// were to come next, and a file with damage that shows, are errors.
  public func next() throws(SegmentLogError) -> RowChunk? {
    while true {
      if segment == nil { segment = try openFirst() }
      guard let segment else { return nil }
      if let chunk = try segment.next() {
        guard let wanted = chunk.dropping(before: nextOffset) else { continue }
        nextOffset = wanted.firstOffset + wanted.rowCount
        return wanted
      }
      if later.isEmpty {
        // A segment may have been filled, and the next begun, since it was read to its end. So it is read
        // once more when the next one has been seen.
        later = try newSegments(after: segment)
        if later.isEmpty { return nil }
      } else {
        self.segment = try openNext(after: segment)
      }
    }
  }

  private func bases() throws(SegmentLogError) -> [Int] {
    try storage { () throws(StorageError) in try segmentBaseOffsets(fileSystem, directory) }
  }

  /// The segment that holds, or will hold, the start.
  private func openFirst() throws(SegmentLogError) -> SegmentCursor? {
    let bases = try bases()
    guard let first = bases.first else { return nil }
    guard let base = bases.last(where: { $0 <= nextOffset }) else {
      throw .missingRows(directory: directory, from: nextOffset, to: first)
    }
    let cursor = try SegmentCursor(fileSystem, directory, baseOffset: base)
    try cursor.skip(towards: nextOffset)
    later = bases.drop { $0 <= base }
    return cursor
  }

  private func listLater(than segment: SegmentCursor) throws(SegmentLogError) -> ArraySlice<Int> {
    try bases().drop { $0 <= segment.baseOffset }
  }

  /// The segments that came since the last one was listed. Two names tell, as a rule: that of the segment that
  /// begins with the next row, and the link to the newest one.
  private func newSegments(after segment: SegmentCursor) throws(SegmentLogError) -> ArraySlice<Int> {
    let next = segment.endOffset
    if next > segment.baseOffset, isThere(next) { return [next] }
    let newest = (try? fileSystem.linkTarget("\(directory)/\(currentLinkName)")).flatMap(
      baseOffset(ofSegment:))
    if let newest, newest <= segment.baseOffset { return [] }
    return try listLater(than: segment)
  }

  private func isThere(_ base: Int) -> Bool {
    (try? fileSystem.openForReading(segmentPath(directory: directory, baseOffset: base))) != nil
  }

  /// The next segment; or this one, if the next has gone since it was listed.
  private func openNext(after segment: SegmentCursor) throws(SegmentLogError) -> SegmentCursor {
    // What was listed while segments came may lack one between others.
    if later.first != segment.endOffset { later = try listLater(than: segment) }
    guard let base = later.first else { return segment }
    try segment.requireEnd()
    guard segment.endOffset <= base else {
      throw .corrupt(
        path: segment.path, byte: 0,
        what: "rows to \(segment.endOffset - 1), but the next segment begins with row \(base)")
    }
    guard segment.endOffset == base else {
      throw .missingRows(directory: directory, from: segment.endOffset, to: base)
    }
    do throws(SegmentLogError) {
      let next = try SegmentCursor(fileSystem, directory, baseOffset: base)
      later.removeFirst()
      return next
    } catch {
      guard case .storage(let reason) = error, reason.isNotFound else { throw error }
      later = try listLater(than: segment)
      if later.first == base { throw error }
      return segment
    }
  }
}
