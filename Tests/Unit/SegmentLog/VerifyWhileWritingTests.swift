// A table that is checked while its gateway makes segments, and somebody moves old ones away: a folder's list may then
// lack what came while it was made, and show what has gone.

import SegmentLog
import Storage
import TestSupport
import Testing

@Suite struct VerifyWhileWritingTests {
  private let original: OriginalTable
  private let table: MemoryTable

  init() throws {
    original = try OriginalTable()
    table = try MemoryTable(original.files)
  }

  /// The check of a table whose folder shows `names` the first time.
  private func verify(listedFirst names: (String) -> Bool) throws -> TableReport {
    let listed = try table.memory.list(table.directory).filter(names)
    return try verifyTable(
      fileSystem: StaleList(table.memory, first: listed), directory: table.directory)
  }

  @Test func `A segment that is just being made is not missing`() throws {
    let newest = try #require(original.bases.last)
    let report = try verify { $0 != segmentFile(newest) }
    #expect(report.problems == [])
    #expect(report.notes == [])
    #expect(report.segments == original.bases.count - 1)
  }

  @Test func `A segment that the list passed over is checked all the same`() throws {
    for base in original.bases.dropFirst().dropLast() {
      let report = try verify { $0 != segmentFile(base) }
      #expect(report.problems == [])
      #expect(report.rows == 40)
    }
    let middle = original.bases.dropFirst().dropLast().map(segmentFile)
    #expect(try verify { !middle.contains($0) }.rows == 40)
  }

  @Test func `A segment that was moved away since is not missed`() throws {
    let all = try table.memory.list(table.directory)
    for name in [segmentFile(0), sidecarFile(0)] { try table.memory.remove(table.path(name)) }
    let report = try verifyTable(
      fileSystem: StaleList(table.memory, first: all), directory: table.directory)
    #expect(report.problems == [])
    #expect(report.notes.map(\.what) == ["the table begins with row \(original.bases[1])"])
  }

  @Test func `A segment that is not there at the second look is missing`() throws {
    let base = original.bases[1]
    try table.memory.remove(table.path(segmentFile(base)))
    let report = try verify { _ in true }
    #expect(report.problems.count == 2)
    #expect(report.problems.last?.what == "its segment \(segmentFile(base)) is missing")
  }

  @Test func `A link to a segment that came since is good`() throws {
    let newest = try #require(original.bases.last)
    let report = try verify { $0 != segmentFile(newest) && $0 != sidecarFile(newest) }
    #expect(report.notes == [])
  }
}

/// A file system that shows an old list of a folder once.
private final class StaleList: FileSystem, @unchecked Sendable {
  private let memory: MemoryFileSystem
  private var first: [String]?

  init(_ memory: MemoryFileSystem, first: [String]) {
    self.memory = memory
    self.first = first
  }

  func list(_ directory: String) throws(StorageError) -> [String] {
    defer { first = nil }
    if let first { return first }
    return try memory.list(directory)
  }
  func openForReading(_ path: String) throws(StorageError) -> any File { try memory.openForReading(path) }
  func linkTarget(_ path: String) throws(StorageError) -> String { try memory.linkTarget(path) }
  func createDirectories(_ path: String) { memory.createDirectories(path) }
  func openForAppending(_ path: String) -> any File { memory.openForAppending(path) }
  func rename(_ path: String, to newPath: String) throws(StorageError) {
    try memory.rename(path, to: newPath)
  }
  func remove(_ path: String) throws(StorageError) { try memory.remove(path) }
  func createLink(_ path: String, target: String) throws(StorageError) {
    try memory.createLink(path, target: target)
  }
  func syncDirectory(_ path: String) { memory.syncDirectory(path) }
  func freeBytes(_ path: String) -> Int { memory.freeBytes(path) }
  func lock(_ path: String) -> any FileLock { memory.lock(path) }
}
