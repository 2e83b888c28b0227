// A table in memory and what the gateway and its readers do with it.

import SegmentLog
import Storage
import TestSupport

/// A row with its line feed.
typealias Row = ArraySlice<UInt8>

struct TableRun {
  static let directory = "table"
  static let options = SegmentOptions(segmentBytes: 64)
  /// What is added to see whether the table can be written on.
  static let added = ["{\"added\":1}\n", "{\"added\":22}\n"].map { Row($0.utf8) }

  private let fileSystem: MemoryFileSystem

  init(_ fileSystem: MemoryFileSystem) { self.fileSystem = fileSystem }

  /// The whole rows of a text.
  static func rows(of text: [UInt8]) -> [Row] {
    text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
      .map { $0 + [UInt8(ascii: "\n")] }
  }

  // MARK: Reading

  struct Reading: Equatable {
    var rows: [Row] = []
    var error: SegmentLogError?
  }

  func tail(from start: Int) -> Reading {
    var reading = Reading()
    let tail = TableTail(fileSystem: fileSystem, directory: Self.directory, from: start)
    do throws(SegmentLogError) {
      while let chunk = try tail.next() {
        let rows = Self.rows(of: Array(chunk.bytes))
        precondition(chunk.bytes.last == UInt8(ascii: "\n"), "a chunk that does not end with a row")
        precondition(
          rows.count == chunk.rowCount && chunk.firstOffset >= start, "rows that were not asked for")
        precondition(chunk.firstOffset + chunk.rowCount == tail.nextOffset, "rows miscounted")
        reading.rows += rows
      }
    } catch { reading.error = error }
    PlantedBug.spoil(&reading.rows)
    return reading
  }

  func verify() -> TableReport {
    do throws(StorageError) {
      return try verifyTable(fileSystem: fileSystem, directory: Self.directory)
    } catch { preconditionFailure("a folder in memory: \(error)") }
  }

  func endOffset() -> Int? {
    do throws(SegmentLogError) {
      return try TableReader(fileSystem: fileSystem, directory: Self.directory).endOffset()
    } catch { preconditionFailure("a good table: \(error)") }
  }

  // MARK: Writing

  /// Opens the table at its end; returns that, or nil after an error.
  func open() -> Int? {
    guard let writer = try? writer() else { return nil }
    precondition(writer.endOffset == writer.openReport.endOffset)
    return writer.endOffset
  }

  func appendAndReopen(at end: Int) {
    do {
      let writer = try writer()
      precondition(
        writer.endOffset == end && writer.openReport.tornRow == nil, "opening twice gives two results")
      for row in Self.added {
        try writer.append(row)
        try writer.sync()
      }
      try writer.close()
      let reopened = try self.writer()
      precondition(
        reopened.endOffset == end + Self.added.count && reopened.openReport.uncheckedRows == 0
          && reopened.openReport.tornRow == nil, "what was closed is not whole")
    } catch { preconditionFailure("a table that was opened: \(error)") }
  }

  private func writer() throws(SegmentLogError) -> SegmentWriter {
    try SegmentWriter(fileSystem: fileSystem, directory: Self.directory, options: Self.options)
  }

  /// Opens the table to be fed its rows from `position` on once more.
  func resume(at position: TablePosition) throws(SegmentLogError) -> SegmentWriter {
    try SegmentWriter(
      fileSystem: fileSystem, directory: Self.directory, options: Self.options, resumingAt: position)
  }
}

extension SegmentWriter {
  func append(_ row: Row) throws {
    try row.withUnsafeBytes { try append($0, rowCount: 1) }
  }
}
