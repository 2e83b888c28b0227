// Reads record files block by block and parses them.
//
// Invariants:
// - A block ends with a line, so that no record is cut.
// - A file is read in one piece only where it is not made of lines: an array, or one object over
//   several lines.

import Records
import Storage

/// What cannot be read of the files given.
public enum RecordFilesError: Error, Equatable, CustomStringConvertible {
  case storage(StorageError)
  case noFiles(path: String)
  case arrayTooLarge(path: String, bytes: Int)

  public var description: String {
    switch self {
    case .storage(let error): error.description
    case .noFiles(let path): "\(path) holds no *.json, *.ndjson or *.jsonl file"
    case .arrayTooLarge(let path, let bytes):
      "\(path) is one JSON array of \(bytes) bytes; arrays are read up to "
        + "\(RecordFiles.wholeFileLimit) bytes, larger files must hold one object a line"
    }
  }
}

/// Memory for one block and the records parsed from it.
// Handed from the reading to the judging thread and back; used by one of them at a time.
public final class RecordBlock: @unchecked Sendable {
  var bytes = UnsafeMutableRawBufferPointer.allocate(
    byteCount: RecordFiles.blockBytes + textSlack, alignment: 64)
  public let batch = RecordBatch()

  public init() {}

  deinit { bytes.deallocate() }

  /// Makes room for a text of this many bytes.
  func reserve(_ byteCount: Int) {
    if bytes.count >= byteCount + textSlack { return }
    let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount + textSlack, alignment: 64)
    larger.copyMemory(from: UnsafeRawBufferPointer(bytes))
    bytes.deallocate()
    bytes = larger
  }
}

/// The record files of one kind, in name order. Must outlive the records read from them, whose topic is
/// the file's path.
public final class RecordFiles {
  static let blockBytes = 256 << 10
  public static let wholeFileLimit = 256 << 20

  public let kind: RecordKind
  public let paths: [String]
  /// The bytes in all files.
  public let byteCount: Int
  private let fileSystem: any FileSystem
  private var topics: [UnsafeMutableRawBufferPointer] = []

  deinit { for topic in topics { topic.deallocate() } }

  /// - Parameter path: a file, or a folder whose *.json, *.ndjson and *.jsonl files are read.
  public init(kind: RecordKind, path: String, fileSystem: any FileSystem) throws(RecordFilesError) {
    self.kind = kind
    self.fileSystem = fileSystem
    let paths = try Self.paths(path, fileSystem)
    if paths.isEmpty { throw .noFiles(path: path) }
    self.paths = paths
    byteCount = try storage { () throws(StorageError) in
      var total = 0
      for path in paths { total += try fileSystem.openForReading(path).size() }
      return total
    }
  }

  private static func paths(_ path: String, _ fileSystem: any FileSystem) throws(RecordFilesError) -> [String]
  {
    guard let names = try? fileSystem.list(path) else { return [path] }
    let endings = [".json", ".ndjson", ".jsonl"]
    return names.filter { name in !name.hasPrefix(".") && endings.contains { name.hasSuffix($0) } }
      .map { "\(path)/\($0)" }
  }

  /// Reads all files. `nextBlock` gives a block to fill, nil to stop; `filled` takes it back.
  public func read(
    parser: RecordParser, arrivalMs: Int64, maxRecordBytes: Int, nextBlock: () -> RecordBlock?,
    filled: (RecordBlock, Int) -> Void
  ) throws(RecordFilesError) {
    for path in paths {
      let topic = UnsafeMutableRawBufferPointer.allocate(byteCount: path.utf8.count, alignment: 1)
      topic.copyBytes(from: path.utf8)
      topics.append(topic)
      var reading = FileReading(
        path: path, kind: kind, topic: UnsafeRawBufferPointer(topic), parser: parser, arrivalMs: arrivalMs,
        maxRecordBytes: maxRecordBytes)
      try reading.run(fileSystem, nextBlock: nextBlock, filled: filled)
    }
  }
}

func storage<Result>(_ body: () throws(StorageError) -> Result) throws(RecordFilesError) -> Result {
  do { return try body() } catch { throw .storage(error) }
}

/// One file while it is being read.
struct FileReading {
  let path: String
  let kind: RecordKind
  let topic: UnsafeRawBufferPointer
  let parser: RecordParser
  let arrivalMs: Int64
  let maxRecordBytes: Int
  // The begin of a line whose end is in the next block.
  private var carried: [UInt8] = []
  // In the rest of a line that was refused as too long.
  private var isSkipping = false

  init(
    path: String, kind: RecordKind, topic: UnsafeRawBufferPointer, parser: RecordParser, arrivalMs: Int64,
    maxRecordBytes: Int
  ) {
    self.path = path
    self.kind = kind
    self.topic = topic
    self.parser = parser
    self.arrivalMs = arrivalMs
    self.maxRecordBytes = maxRecordBytes
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
      let read = try fill(block, from: file, at: offset, isFirst: offset == 0, size: size)
      offset += read
      filled(block, read)
    }
  }

  // Returns the bytes taken from the file.
  private mutating func fill(
    _ block: RecordBlock, from file: any File, at offset: Int, isFirst: Bool, size: Int
  ) throws(RecordFilesError) -> Int {
    let kept = carried.count
    block.reserve(kept + RecordFiles.blockBytes)
    block.bytes.copyBytes(from: carried)
    let room = UnsafeMutableRawBufferPointer(rebasing: block.bytes[kept..<kept + RecordFiles.blockBytes])
    let read = try storage { () throws(StorageError) in try file.read(into: room, at: offset) }
    let isLast = offset + read >= size || read == 0
    var text = UnsafeRawBufferPointer(rebasing: block.bytes[..<(kept + read)])
    if isFirst {
      if text.starts(with: Self.byteOrderMark) { text = UnsafeRawBufferPointer(rebasing: text[3...]) }
      if !isMadeOfLines(text, size) { return try readWhole(block, file, size) }
    }
    takeLines(text, isLast: isLast, block)
    return read
  }

  private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

  // Whether the first line is a record by itself (or too long to tell). A large file is lines of which
  // the first is bad, rather than one object.
  private func isMadeOfLines(_ text: UnsafeRawBufferPointer, _ size: Int) -> Bool {
    guard let start = text.firstIndex(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }) else { return true }
    if text[start] == UInt8(ascii: "[") { return false }
    if size > RecordFiles.wholeFileLimit { return true }
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
    if end > start {
      let lines = UnsafeRawBufferPointer(rebasing: text[start..<end])
      parser.parse(lines: lines, kind: kind, arrivalMs: arrivalMs, topic: topic, into: block.batch)
    }
    carried = Array(text[end...])
    if carried.count > maxRecordBytes {
      // Without a bound, a file without line feeds would be collected in memory whole.
      // A little more than the quarantine shows, so that it can cut between characters.
      let begin = UnsafeRawBufferPointer(rebasing: text[end...].prefix(4096 + 4))
      parser.refuse(begin, .oversized, kind: kind, arrivalMs: arrivalMs, topic: topic, into: block.batch)
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
    carried = []
    let text = UnsafeRawBufferPointer(rebasing: block.bytes[..<read])
    parser.parse(
      payload: text, route: TopicRoute(kind: kind), arrivalMs: arrivalMs, topic: topic, into: block.batch)
    return read
  }
}
