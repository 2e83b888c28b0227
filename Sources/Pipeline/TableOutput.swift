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

  init(_ table: Table, writer: SegmentWriter) {
    self.table = table
    self.writer = writer
  }

  /// The log end offset with the rows that still wait.
  var endOffset: Int { writer.endOffset + rows.rowCount }

  func flushIfLarge() throws(StorageError) {
    if rows.count >= Self.flushBytes { try flush() }
  }

  func flush() throws(StorageError) {
    if rows.rowCount == 0 { return }
    try writer.append(rows.bytes, rowCount: rows.rowCount)
    rows.clear()
  }

  func roll() throws(StorageError) {
    try flush()
    try writer.roll()
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
