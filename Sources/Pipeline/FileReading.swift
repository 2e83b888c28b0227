// One file while it is being read: cut into pieces that end with a line.

import Records
import Storage

struct FileReading {
  private let path: String
  private let parser: RecordParser
  private let maxRecordBytes: Int
  private let emit: (FilePiece, RecordBlock) -> Void
  // The begin of a line whose end is in the next block.
  private var carried: [UInt8] = []
  // In the rest of a line that was refused as too long.
  private var isSkipping = false

  init(
    path: String, parser: RecordParser, maxRecordBytes: Int, emit: @escaping (FilePiece, RecordBlock) -> Void
  ) {
    self.path = path
    self.parser = parser
    self.maxRecordBytes = maxRecordBytes
    self.emit = emit
  }

  mutating func run(
    _ fileSystem: any FileSystem, nextBlock: () -> RecordBlock?, filled: (RecordBlock, Int) -> Void
  ) throws(RecordFilesError) {
    let path = path
    let file = try storage { () throws(StorageError) in try fileSystem.openForReading(path) }
    var offset = 0
    var isLast = false
    while !isLast {
      guard let block = nextBlock() else { return }
      let before = offset
      isLast = try fill(block, from: file, at: &offset)
      filled(block, offset - before)
    }
  }

  // Moves `offset` on by the bytes taken from the file; true at its end.
  private mutating func fill(
    _ block: RecordBlock, from file: any File, at offset: inout Int
  ) throws(RecordFilesError) -> Bool {
    let (kept, start) = (carried.count, offset)
    block.reserve(kept + RecordFiles.blockBytes)
    block.bytes.copyBytes(from: carried)
    let room = UnsafeMutableRawBufferPointer(rebasing: block.bytes[kept..<kept + RecordFiles.blockBytes])
    let read = try storage { () throws(StorageError) in try file.read(into: room, at: start) }
    offset += read
    let isLast = read < room.count
    var text = UnsafeRawBufferPointer(rebasing: block.bytes[..<(kept + read)])
    if start == 0 {
      if text.starts(with: Self.byteOrderMark) { text = UnsafeRawBufferPointer(rebasing: text[3...]) }
      if !(try isMadeOfLines(text, file)) {
        offset = try readWhole(block, file)
        return true
      }
    }
    takeLines(text, isLast: isLast, block)
    return isLast
  }

  private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

  // Whether the first line is a record by itself (or too long to tell). A large file is lines of which
  // the first is bad, rather than one object.
  private func isMadeOfLines(_ text: UnsafeRawBufferPointer, _ file: any File) throws(RecordFilesError)
    -> Bool
  {
    guard let start = text.firstIndex(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }) else { return true }
    if text[start] == UInt8(ascii: "[") { return false }
    guard let end = text[start...].firstIndex(of: UInt8(ascii: "\n")) else { return true }
    if parser.isComplete(UnsafeRawBufferPointer(rebasing: text[start..<end])) { return true }
    return try storage { () throws(StorageError) in try file.size() } > RecordFiles.wholeFileLimit
  }

  private mutating func takeLines(_ text: UnsafeRawBufferPointer, isLast: Bool, _ block: RecordBlock) {
    var start = 0
    if isSkipping {
      guard let end = text.firstIndex(of: UInt8(ascii: "\n")) else { return }
      start = end + 1
      isSkipping = false
    }
    let lastLine = text[start...].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? start
    let end = isLast ? text.count : lastLine
    if end > start { emit(.lines(UnsafeRawBufferPointer(rebasing: text[start..<end])), block) }
    carried = Array(text[end...])
    if carried.count > maxRecordBytes {
      // Without a bound, a file without line feeds would be collected in memory whole.
      emit(.tooLong(UnsafeRawBufferPointer(rebasing: text[end...].prefix(refusedTextBytes))), block)
      carried = []
      isSkipping = true
    }
  }

  // As one payload, which may turn out to be lines all the same.
  private mutating func readWhole(_ block: RecordBlock, _ file: any File) throws(RecordFilesError) -> Int {
    let size = try storage { () throws(StorageError) in try file.size() }
    if size > RecordFiles.wholeFileLimit { throw .arrayTooLarge(path: path, bytes: size) }
    block.reserve(size)
    let room = UnsafeMutableRawBufferPointer(rebasing: block.bytes[..<size])
    let read = try storage { () throws(StorageError) in try file.read(into: room, at: 0) }
    emit(.whole(UnsafeRawBufferPointer(rebasing: block.bytes[..<read])), block)
    return read
  }
}
