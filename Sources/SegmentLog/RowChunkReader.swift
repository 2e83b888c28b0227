// Reads a file in large pieces: as whole rows, or plainly for a checksum.

import Storage

/// Reads whole rows into a buffer of its own, which grows to the longest row.
final class RowChunkReader {
  private let file: any File
  private var buffer: UnsafeMutableRawBufferPointer

  init(_ file: any File, bufferBytes: Int = 256 * 1024) {
    self.file = file
    buffer = .allocate(byteCount: bufferBytes, alignment: 16)
  }

  deinit { buffer.deallocate() }

  /// The whole rows from byte `start`, as many as the buffer holds; nil if no whole row is there (yet).
  /// The bytes are good until the next call.
  func wholeRows(at start: Int) throws(StorageError) -> UnsafeRawBufferPointer? {
    while true {
      let count = try file.read(into: buffer, at: start)
      let end = UnsafeRawBufferPointer(buffer).first(count).lastRowEnd
      if end > 0 { return UnsafeRawBufferPointer(buffer).first(end) }
      if count < buffer.count { return nil }
      let larger = buffer.count * 2
      buffer.deallocate()
      buffer = .allocate(byteCount: larger, alignment: 16)
    }
  }
}

/// The checksum and the number of rows of a range of a file, which must reach that far.
func checksum(
  of file: any File, _ range: Range<Int>
) throws(StorageError) -> (checksum: UInt64, rows: Int) {
  let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 16)
  defer { buffer.deallocate() }
  var running = RunningChecksum()
  var rows = 0
  var byte = range.lowerBound
  while byte < range.upperBound {
    let wanted = UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(range.upperBound - byte))
    let count = try file.read(into: wanted, at: byte)
    // A file that shrinks under the reader yields a checksum that does not match.
    if count == 0 { break }
    let bytes = UnsafeRawBufferPointer(wanted).first(count)
    running.update(bytes)
    rows += bytes.rowCount
    byte += count
  }
  return (running.finish(), rows)
}
