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
    // In a table's folder that one is a link to a segment, which would be read twice.
    let link = "current.ndjson"
    return names.filter { $0.first != "." && $0 != link && endings.contains(where: $0.hasSuffix) }
      .map { "\(path)/\($0)" }
  }

  /// Reads all files, piece by piece.
  /// - Parameters:
  ///   - nextBlock: gives a block to fill, nil to stop.
  ///   - piece: gets a piece of a file's text, which lies in the block, and the file's path.
  ///   - filled: takes the block back, with the bytes that were taken from the file for it.
  public func read(
    parser: RecordParser, maxRecordBytes: Int, nextBlock: () -> RecordBlock?,
    piece: @escaping (FilePiece, UnsafeRawBufferPointer, RecordBlock) -> Void,
    filled: (RecordBlock, Int) -> Void
  ) throws(RecordFilesError) {
    for path in paths {
      let topic = UnsafeMutableRawBufferPointer.allocate(byteCount: path.utf8.count, alignment: 1)
      topic.copyBytes(from: path.utf8)
      topics.append(topic)
      var reading = FileReading(path: path, parser: parser, maxRecordBytes: maxRecordBytes) { text, block in
        piece(text, UnsafeRawBufferPointer(topic), block)
      }
      try reading.run(fileSystem, nextBlock: nextBlock, filled: filled)
    }
  }
}

/// A piece of a file's text, with `textSlack` readable bytes behind it.
public enum FilePiece {
  /// Whole lines.
  case lines(UnsafeRawBufferPointer)
  /// The whole file, which is not made of lines.
  case whole(UnsafeRawBufferPointer)
  /// The begin of a line that is too long.
  case tooLong(UnsafeRawBufferPointer)
}

extension RecordParser {
  /// Appends the records of a piece of a file to a batch.
  public func parse(
    _ piece: FilePiece, kind: RecordKind, arrivalMs: Int64, topic: UnsafeRawBufferPointer,
    into batch: RecordBatch
  ) {
    switch piece {
    case .lines(let text):
      parse(lines: text, kind: kind, arrivalMs: arrivalMs, topic: topic, into: batch)
    case .whole(let text):
      parse(payload: text, route: TopicRoute(kind: kind), arrivalMs: arrivalMs, topic: topic, into: batch)
    case .tooLong(let text):
      refuse(text, .oversized, kind: kind, arrivalMs: arrivalMs, topic: topic, into: batch)
    }
  }
}

func storage<Result>(_ body: () throws(StorageError) -> Result) throws(RecordFilesError) -> Result {
  do { return try body() } catch { throw .storage(error) }
}
