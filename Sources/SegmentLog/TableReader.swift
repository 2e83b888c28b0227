// Questions about a table as it stands. To read its rows, ask for a `TableTail` and stop at nil.

import Storage

/// Reads a table; there may be many, while one writer writes.
public struct TableReader {
  private let fileSystem: any FileSystem
  private let directory: String

  public init(fileSystem: any FileSystem, directory: String) {
    self.fileSystem = fileSystem
    self.directory = directory
  }

  /// The offset of the table's first row: 0, unless its oldest segments were moved away. Nil if there is
  /// no table.
  public func firstOffset() throws(SegmentLogError) -> Int? {
    try storage { () throws(StorageError) in try segmentBaseOffsets(fileSystem, directory) }.first
  }

  /// The offset after the last whole row. Nil if there is no table.
  public func endOffset() throws(SegmentLogError) -> Int? {
    let bases = try storage { () throws(StorageError) in try segmentBaseOffsets(fileSystem, directory) }
    guard let newest = bases.last else { return nil }
    let cursor = try SegmentCursor(fileSystem, directory, baseOffset: newest)
    try cursor.skip(towards: .max)
    while try cursor.next() != nil {}
    return cursor.endOffset
  }

  /// The rows from `offset` on.
  public func rows(from offset: Int) -> TableTail {
    TableTail(fileSystem: fileSystem, directory: directory, from: offset)
  }

  /// The last `count` rows that are there now, or all if there are fewer, and whatever comes after them.
  public func rows(last count: Int) throws(SegmentLogError) -> TableTail {
    precondition(count >= 0)
    guard let end = try endOffset(), let first = try firstOffset() else { return rows(from: 0) }
    return rows(from: max(first, end - count))
  }
}
