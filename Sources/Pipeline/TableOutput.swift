// One table being written: rows collect in memory and go to the segments in one piece.
//
// Invariants:
// - Rows reach the segments in the order in which they were made.
// - Rows wait in memory only until `flush`, which the engine's owner calls at the end of each batch; in a replay,
//   where nobody reads along, until `close`.

import Records
import SegmentLog
import Storage

final class TableOutput {
  // Large enough that a write's fixed cost does not show, small enough to stay in the L2 cache.
  static let flushBytes = 256 << 10

  let table: Table
  var rows = RowBuffer()
  private let writer: SegmentWriter
  private let writeBehind: WriteBehind?

  /// - Parameter writeBehind: writes the rows on its own thread; nil: they are written when they are flushed.
  init(_ table: Table, writer: SegmentWriter, writeBehind: WriteBehind?) {
    self.table = table
    self.writer = writer
    self.writeBehind = writeBehind
  }

  /// The log end offset with the rows that still wait; of rows that are written behind, only after `close`.
  var endOffset: Int { writer.endOffset + rows.rowCount }

  /// Where the next row goes, once no row waits.
  var position: TablePosition {
    assert(rows.rowCount == 0)
    return writer.position
  }

  func flushIfLarge() throws(StorageError) {
    if rows.count >= Self.flushBytes { try flush() }
  }

  func flush() throws(StorageError) {
    if rows.rowCount == 0 { return }
    if let writeBehind {
      try writeBehind.write(&rows, to: writer)
    } else {
      try writer.append(rows.bytes, rowCount: rows.rowCount)
      rows.clear()
    }
  }

  /// The end of a recovery: all rows to come are new. Returns how many the journal did not account for.
  func endRecovery() throws(StorageError) -> Int {
    try flush()
    return try writer.endCatchUp()
  }

  func takeFindings() -> [RecoveryFinding] { writer.takeFindings() }

  func rowsAreDurable(to position: TablePosition) throws(StorageError) {
    try writer.rowsAreDurable(to: position)
  }

  func roll() throws(StorageError) {
    try flush()
    try writeBehind?.finish()
    try writer.roll()
  }

  func close() throws(StorageError) {
    try flush()
    try writeBehind?.finish()
    try writer.close()
  }
}
