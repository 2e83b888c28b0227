// Divides a segment's rows into checksummed blocks while they are written.
//
// Invariant: where blocks end depends on the rows alone, never on how they were cut into batches: a block
// ends with the first row that makes it at least 64 KiB long, and where the writer ends it (sealing,
// closing).

import Storage

struct ChecksumBlocks: ~Copyable {
  static let blockBytes = 64 * 1024

  /// The bytes and the log end offset of all rows so far.
  private(set) var endByte: Int
  private(set) var endOffset: Int
  private var blockStart: Int
  private var running = RunningChecksum()
  private var finished: [ChecksumLine] = []

  init(endByte: Int, endOffset: Int) {
    self.endByte = endByte
    self.endOffset = endOffset
    blockStart = endByte
  }

  /// Adds whole rows; `rowCount` is how many they are.
  mutating func add(_ rows: UnsafeRawBufferPointer, rowCount: Int) {
    var rest = rows
    var restRows = rowCount
    while !rest.isEmpty {
      let cut = rest.rowEnd(atLeast: Self.blockBytes - (endByte - blockStart)) ?? rest.count
      let block = rest.first(cut)
      let blockRows = cut == rest.count ? restRows : block.rowCount
      running.update(block)
      endByte += cut
      endOffset += blockRows
      if endByte - blockStart >= Self.blockBytes { endBlock() }
      rest = rest.after(cut)
      restRows -= blockRows
    }
  }

  /// Ends the block here; an empty one leaves no line.
  mutating func endBlock() {
    guard endByte > blockStart else { return }
    finished.append(ChecksumLine(endByte: endByte, endOffset: endOffset, checksum: running.finish()))
    blockStart = endByte
  }

  /// The lines of the blocks that ended since the last call.
  mutating func takeFinished() -> [ChecksumLine] {
    defer { finished.removeAll() }
    return finished
  }
}
