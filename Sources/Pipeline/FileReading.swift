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
    let (file, size) = try storage { () throws(StorageError) in
      let file = try fileSystem.openForReading(path)
      return (file, try file.size())
    }
    var offset = 0
    while offset < size || !carried.isEmpty {
      guard let block = nextBlock() else { return }
      let read = try fill(block, from: file, at: offset, size: size)
      offset += read
      filled(block, read)
    }
  }

  // Returns the bytes taken from the file.
  private mutating func fill(
    _ block: RecordBlock, from file: any File, at offset: Int, size: Int
  ) throws(RecordFilesError) -> Int {
    let kept = carried.count
    block.reserve(kept + RecordFiles.blockBytes)
    block.bytes.copyBytes(from: carried)
    let room = UnsafeMutableRawBufferPointer(rebasing: block.bytes[kept..<kept + RecordFiles.blockBytes])
    let read = try storage { () throws(StorageError) in try file.read(into: room, at: offset) }
    let isLast = offset + read >= size || read == 0
    var text = UnsafeRawBufferPointer(rebasing: block.bytes[..<(kept + read)])
    if offset == 0 {
      if text.starts(with: Self.byteOrderMark) { text = UnsafeRawBufferPointer(rebasing: text[3...]) }
      if !isMadeOfLines(text) { return try readWhole(block, file, size) }
    }
    takeLines(text, isLast: isLast, block)
    return read
  }

  private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

  // Whether the first line is a record by itself (or too long to tell).
  private func isMadeOfLines(_ text: UnsafeRawBufferPointer) -> Bool {
    guard let start = text.firstIndex(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }) else { return true }
    if text[start] == UInt8(ascii: "[") { return false }
    guard let end = text[start...].firstIndex(of: UInt8(ascii: "\n")) else { return true }
    return parser.isComplete(UnsafeRawBufferPointer(rebasing: text[start..<end]))
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
      emit(.tooLong(UnsafeRawBufferPointer(rebasing: text[end...].prefix(4096))), block)
      carried = []
      isSkipping = true
    }
  }

  // As one payload, which may turn out to be lines all the same.
  private mutating func readWhole(
    _ block: RecordBlock, _ file: any File, _ size: Int
  ) throws(RecordFilesError) -> Int {
    if size > RecordFiles.wholeFileLimit { throw .arrayTooLarge(path: path, bytes: size) }
    block.reserve(size)
    let room = UnsafeMutableRawBufferPointer(rebasing: block.bytes[..<size])
    let read = try storage { () throws(StorageError) in try file.read(into: room, at: 0) }
    emit(.whole(UnsafeRawBufferPointer(rebasing: block.bytes[..<read])), block)
    return read
  }
}
