// Writes rows to the tables on a thread of its own, while the engine makes the next.
//
// Why only in a replay: a gateway's reader is to see the rows of a batch at once, and a batch's rows are few; a
// replay's engine is what everything else waits for, and spent a sixth of its time here.
//
// Invariants:
// - A table's rows are written in the order in which they were made.
// - Memory is bounded by `bufferCount` buffers; when they are all on their way the engine waits.
// - After an error nothing more is written, and whoever writes or finishes next is told.

import Dispatch
import SegmentLog
import Storage
import Synchronization
import Threads

/// Rows on their way to a table.
// Used by one thread at a time: they take turns by way of `free` and `thread`.
private final class RowBlock: @unchecked Sendable {
  var rows = RowBuffer()
}

// `free` and `failure` are made for several threads; a writer is touched by `thread` alone until `finish`.
final class WriteBehind: Sendable {
  // A table's rows wait while a segment is synced: enough that the engine does not.
  private static let bufferCount = 64

  private let thread = DispatchQueue(label: "stepgate.tables")
  private let free = BoundedQueue<RowBlock>(capacity: bufferCount)
  private let failure = Mutex<StorageError?>(nil)

  init() {
    for _ in 0..<Self.bufferCount { _ = free.put(RowBlock()) }
  }

  /// Has rows written to a table, and gives an empty buffer for them.
  func write(_ rows: inout RowBuffer, to writer: SegmentWriter) throws(StorageError) {
    try throwFailure()
    guard let block = free.take() else { preconditionFailure("nobody closes the queue") }
    swap(&rows, &block.rows)
    let handedOver = HandedOver(writer: writer)
    thread.async { [self] in
      write(block, handedOver.writer)
      _ = free.put(block)
    }
  }

  private func write(_ block: RowBlock, _ writer: SegmentWriter) {
    if failure.withLock({ $0 != nil }) { return block.rows.clear() }
    do throws(StorageError) {
      try writer.append(block.rows.bytes, rowCount: block.rows.rowCount)
    } catch { failure.withLock { $0 = error } }
    block.rows.clear()
  }

  /// Waits until all rows are written.
  func finish() throws(StorageError) {
    thread.sync {}
    try throwFailure()
  }

  private func throwFailure() throws(StorageError) {
    if let failure = failure.withLock({ $0 }) { throw failure }
  }
}

/// A writer on its way to the thread that writes.
private struct HandedOver: @unchecked Sendable {
  let writer: SegmentWriter
}
