// Reads one segment's rows in order, using its checksum file as an index to begin in the middle.

import Storage

final class SegmentCursor {
  let baseOffset: Int
  let path: String
  private let fileSystem: any FileSystem
  private let directory: String
  private let file: any File
  private let chunks: RowChunkReader
  /// The end of the rows read so far, as a byte and as a row offset.
  private var endByte = 0
  private(set) var endOffset: Int

  init(_ fileSystem: any FileSystem, _ directory: String, baseOffset: Int) throws(SegmentLogError) {
    self.fileSystem = fileSystem
    self.directory = directory
    self.baseOffset = baseOffset
    let path = "\(directory)/\(segmentName(baseOffset))"
    self.path = path
    file = try storage { () throws(StorageError) in try fileSystem.openForReading(path) }
    chunks = RowChunkReader(file)
    endOffset = baseOffset
  }

  /// Skips to the last block boundary at or before the row `offset`.
  func skip(towards offset: Int) throws(SegmentLogError) {
    let sidecar = try Sidecar.read(fileSystem, directory, baseOffset: baseOffset)
    guard let line = sidecar?.lines.last(where: { $0.endOffset <= offset }) else { return }
    endByte = line.endByte
    endOffset = line.endOffset
  }

  /// The next whole rows; nil if there are none now.
  func next() throws(SegmentLogError) -> RowChunk? {
    let start = endByte
    let rows = try storage { () throws(StorageError) in try chunks.wholeRows(at: start) }
    guard let rows else { return nil }
    let chunk = RowChunk(firstOffset: endOffset, rowCount: rows.rowCount, bytes: rows)
    endByte += rows.count
    endOffset += chunk.rowCount
    return chunk
  }

  /// Throws unless the file ends with the rows read so far.
  func requireEnd() throws(SegmentLogError) {
    let size = try storage { () throws(StorageError) in try file.size() }
    if size != endByte {
      throw .corrupt(path: path, byte: endByte, what: "a torn row in a segment that others follow")
    }
  }
}
