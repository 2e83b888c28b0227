// One table being written: rows collect in memory and go to the segments in one piece.
//
// Invariants:
// - Rows reach the segments in the order in which they were made.
// - Rows wait in memory only until `flush`, which the engine's owner calls at the end of each batch.

import SegmentLog
import Storage

final class TableOutput {
  // Large enough that a write's fixed cost does not show, small enough to stay in the L2 cache.
  static let flushBytes = 256 << 10

  let table: Table
  var rows = RowBuffer()
  private let writer: SegmentWriter
  /// Rows that the segments hold already and that a recovery makes once more.
  private(set) var knownRows: Int

  /// - Parameter recovers: whether the first rows to come are those that the segments hold.
  init(_ table: Table, writer: SegmentWriter, recovers: Bool) {
    self.table = table
    self.writer = writer
    knownRows = recovers ? writer.endOffset : 0
  }

  /// The log end offset with the rows that still wait.
  var endOffset: Int { writer.endOffset + max(0, rows.rowCount - knownRows) }

  func flushIfLarge() throws(StorageError) {
    if rows.count >= Self.flushBytes { try flush() }
  }

  func flush() throws(StorageError) {
    if rows.rowCount == 0 { return }
    let known = min(knownRows, rows.rowCount)
    if known < rows.rowCount {
      try writer.append(rows.bytes(afterRow: known), rowCount: rows.rowCount - known)
    }
    knownRows -= known
    rows.clear()
  }

  /// The end of a recovery: all rows to come are new. Returns how many the journal did not account for.
  func endRecovery() throws(StorageError) -> Int {
    try flush()
    defer { knownRows = 0 }
    return knownRows
  }

  func roll() throws(StorageError) {
    try flush()
    // The rolls among rows that are known took place when they were written.
    if knownRows == 0 { try writer.roll() }
  }

  func sync() throws(StorageError) {
    try flush()
    try writer.sync()
  }

  func close() throws(StorageError) {
    try flush()
    try writer.close()
  }
}
