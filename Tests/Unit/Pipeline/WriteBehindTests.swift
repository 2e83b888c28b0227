import Glibc
import Records
import SegmentLog
import Storage
import TestSupport
import Testing

@testable import Pipeline

@Suite struct WriteBehindTests {
  private func row(_ number: Int) -> [UInt8] { Array("{\"n\":\(number)}\n".utf8) }

  private func append(_ number: Int, to rows: inout RowBuffer) {
    row(number).dropLast().withUnsafeBytes { rows.append($0) }
    rows.endRow()
  }

  @Test func `Rows of several tables are written in the order in which they were made`() throws {
    let fileSystem = MemoryFileSystem()
    let behind = WriteBehind()
    let writers = try ["a", "b"].map {
      try SegmentWriter(fileSystem: fileSystem, directory: $0, options: SegmentOptions(segmentBytes: 500))
    }
    // More buffers than there are, so that they come round.
    for number in 0..<500 {
      var rows = RowBuffer(capacity: 64)
      append(number, to: &rows)
      append(-number, to: &rows)
      try behind.write(&rows, to: writers[number % 2])
      #expect(rows.rowCount == 0 && rows.bytes.isEmpty, "the buffer that comes back is empty")
    }
    try behind.finish()
    for (place, table) in ["a", "b"].enumerated() {
      let segments = try fileSystem.list(table).filter { $0.first == "0" && $0.hasSuffix(".ndjson") }
      let bytes = try segments.flatMap { try fileSystem.readFile("\(table)/\($0)") }
      let expected = stride(from: place, to: 500, by: 2).flatMap { row($0) + row(-$0) }
      #expect(segments.count > 5 && bytes == expected)
    }
  }

  @Test func `After a failed write nothing more is written, and whoever goes on is told`() throws {
    let writer = try SegmentWriter(fileSystem: FullDevice(), directory: "a")
    let behind = WriteBehind()
    let expected = StorageError(operation: .write, path: "/dev/full", offset: 0, code: ENOSPC)
    var rows = RowBuffer()
    append(1, to: &rows)
    try behind.write(&rows, to: writer)
    #expect(throws: expected) { try behind.finish() }
    append(2, to: &rows)
    #expect(throws: expected) { try behind.write(&rows, to: writer) }
    #expect(rows.rowCount == 1, "what was not taken is still there")
    #expect(throws: expected) { try behind.finish() }
  }
}

/// Every file is /dev/full, to which every write fails with ENOSPC (full(4)).
private final class FullDevice: FileSystem {
  private let local = LocalFileSystem()
  private let memory = MemoryFileSystem()

  func openForAppending(_ path: String) throws(StorageError) -> any File {
    try local.openForAppending("/dev/full")
  }
  func openForReading(_ path: String) throws(StorageError) -> any File { try memory.openForReading(path) }
  func createDirectories(_ path: String) { memory.createDirectories(path) }
  func list(_ directory: String) throws(StorageError) -> [String] { try memory.list(directory) }
  func rename(_ path: String, to newPath: String) throws(StorageError) {
    try memory.rename(path, to: newPath)
  }
  func remove(_ path: String) throws(StorageError) { try memory.remove(path) }
  func createLink(_ path: String, target: String) throws(StorageError) {
    try memory.createLink(path, target: target)
  }
  func linkTarget(_ path: String) throws(StorageError) -> String { try memory.linkTarget(path) }
  func syncDirectory(_ path: String) {}
  func freeBytes(_ path: String) -> Int { 0 }
  func lock(_ path: String) throws(StorageError) -> any FileLock { memory.lock(path) }
}
