// Divides a segment's rows into checksummed blocks while they are written, or compared.
//
// Invariant: where blocks end depends on the rows alone, never on how they were cut into batches: a block
// ends with the first row that makes it at least 64 KiB long, and where the writer ends it (sealing,
// closing). For rows that the checksum file has lines of already, blocks end where these say.

import Storage

struct ChecksumBlocks: ~Copyable {
  static let blockBytes = 64 * 1024

  /// A line of the checksum file that does not hold for the block it ends.
  struct BrokenLine {
    let line: ChecksumLine
    let startByte: Int
  }

  /// The bytes and the log end offset of all rows so far.
  private(set) var endByte: Int
  private(set) var endOffset: Int
  private var blockStart: Int
  private var running = RunningChecksum()
  private var finished: [ChecksumLine] = []
  /// The lines that are there for rows to come; and those that turned out not to hold.
  private var known: ArraySlice<ChecksumLine>
  private var broken: [BrokenLine] = []

  /// Rows begin at `endByte`, the end of a block.
  init(endByte: Int, endOffset: Int, known: ArraySlice<ChecksumLine> = []) {
    self.endByte = endByte
    self.endOffset = endOffset
    self.known = known
    blockStart = endByte
  }

  /// Adds bytes of the segment, in pieces of any length; `rowCount` is how many rows end among them.
  mutating func add(_ rows: UnsafeRawBufferPointer, rowCount: Int) {
    var rest = rows
    var restRows = rowCount
    while !rest.isEmpty {
      let cut = blockEnd(in: rest)
      let block = rest.first(cut ?? rest.count)
      let blockRows = block.count == rest.count ? restRows : block.rowCount
      running.update(block)
      endByte += block.count
      endOffset += blockRows
      if cut != nil { endBlock() }
      rest = rest.after(block.count)
      restRows -= blockRows
    }
  }

  /// Where the present block ends in the bytes that come next; nil if behind them.
  private func blockEnd(in rest: UnsafeRawBufferPointer) -> Int? {
    guard let line = known.first else {
      return rest.rowEnd(atLeast: max(1, Self.blockBytes - (endByte - blockStart)))
    }
    let length = line.endByte - endByte
    return length <= rest.count ? length : nil
  }

  /// Ends the block here; an empty one leaves no line.
  mutating func endBlock() {
    guard endByte > blockStart else { return }
    let found = ChecksumLine(endByte: endByte, endOffset: endOffset, checksum: running.finish())
    if let line = known.first {
      precondition(line.endByte == endByte, "a block ends before the line that is there for it")
      known.removeFirst()
      if line != found { broken.append(BrokenLine(line: line, startByte: blockStart)) }
    } else {
      finished.append(found)
    }
    blockStart = endByte
  }

  /// The lines of the blocks that ended since the last call, and at or before `byte`.
  mutating func takeFinished(to byte: Int = .max) -> [ChecksumLine] {
    let taken = finished.prefix { $0.endByte <= byte }
    finished.removeFirst(taken.count)
    return Array(taken)
  }

  /// The lines that turned out not to hold since the last call.
  mutating func takeBroken() -> [BrokenLine] {
    if broken.isEmpty { return [] }
    defer { broken.removeAll() }
    return broken
  }

  /// Forgets the lines for blocks that end behind `byte`, and ends these by their length.
  mutating func dropKnown(after byte: Int) {
    known = known.prefix { $0.endByte <= byte }
  }

  /// Says which row comes next, where the bytes so far tell another.
  mutating func setEndOffset(_ offset: Int) {
    endOffset = offset
  }
}
