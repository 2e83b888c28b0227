// What goes when a journal is trimmed, what stays, and what is there when the machine dies in between.

import Foundation
import Glibc
import Journal
import Storage
import Synchronization
import Testing

@Suite struct JournalTrimTests {
  private let journal: JournalFixture

  init() throws { journal = try JournalFixture() }

  /// Writes entries, a segment each, and returns their positions and the journal's end.
  @discardableResult
  private func write(_ count: Int) throws -> (positions: [Int], end: Int) {
    let writer = try journal.writer(segmentBytes: 8)
    var positions: [Int] = []
    for number in 0..<count {
      positions.append(writer.endPosition)
      try writer.append(EntryBuffer([.numbered(number)]))
      try writer.sync()
    }
    return (positions, writer.endPosition)
  }

  private func trim(_ position: Int, on fileSystem: (any FileSystem)? = nil) throws -> Int {
    try trimJournal(
      fileSystem: fileSystem ?? journal.fileSystem, directory: journal.directory, before: position)
  }

  private func start() throws -> Int {
    try journalStart(fileSystem: journal.fileSystem, directory: journal.directory)
  }

  private func verify() throws -> JournalReport {
    try verifyJournal(fileSystem: journal.fileSystem, directory: journal.directory)
  }

  @Test func `A journal that is not there begins at 0, and has nothing to trim`() throws {
    #expect(try start() == 0)
    #expect(try trim(1_000_000) == 0)
    _ = try journal.writer()
    #expect(try start() == 0)
    #expect(try trim(1_000_000) == 0)
  }

  @Test func `What is below the position goes, segment by segment, and the newest stays`() throws {
    let (positions, end) = try write(6)
    let sizes = try journal.segments().map { try journal.fileSystem.readFile($0).count }
    #expect(try trim(0) == 0)
    #expect(try trim(positions[1] - 8) == 0, "the oldest is needed still")
    #expect(try start() == 0)
    #expect(try trim(positions[1]) == sizes[0])
    #expect(try start() == positions[1])
    #expect(try trim(positions[4] + 8) == sizes[1] + sizes[2] + sizes[3])
    #expect(try start() == positions[4])
    #expect(try trim(end) == sizes[4])
    #expect(try trim(.max) == 0)
    #expect(try start() == positions[5])
    #expect(try journal.entries(from: positions[5]) == [.numbered(5)])
    #expect(try journal.segments() == [journal.segment(positions[5])])
  }

  @Test func `A trimmed journal is read from its start and written on at its end, and from 0 on is an error`()
    throws
  {
    let (positions, end) = try write(5)
    _ = try trim(positions[3])
    #expect(try journal.entries(from: positions[3]) == [.numbered(3), .numbered(4)])
    #expect(try journal.entries(from: positions[4]) == [.numbered(4)])
    let missing = JournalError.missing(directory: journal.directory, from: 0, to: positions[3])
    #expect(throws: missing) { try journal.entries() }

    let writer = try journal.writer(segmentBytes: 8)
    #expect(writer.endPosition == end)
    try writer.append(EntryBuffer([.numbered(5)]))
    #expect(try journal.entries(from: start()) == (3..<6).map(Entry.numbered))
    #expect(try verify().problems == [])
    #expect(
      try journalSegmentPositions(fileSystem: journal.fileSystem, directory: journal.directory)
        == positions[3...] + [end])
  }

  @Test func `Each segment's going is durable before the next one goes, and the others are before the first`()
    throws
  {
    let (positions, _) = try write(4)
    let disk = DyingFileSystem(operations: .max)
    _ = try trim(positions[2], on: disk)
    #expect(
      disk.log == [
        "sync journal", "remove \(journal.segment(0))", "sync journal",
        "remove \(journal.segment(positions[1]))", "sync journal",
      ])
  }

  @Test func `Whenever the machine dies while it trims, what is left is a good journal`() throws {
    for operations in 0..<12 {
      let journal = try JournalTrimTests()
      let (positions, end) = try journal.write(7)
      #expect(throws: StorageError.self) {
        try journal.trim(positions[6], on: DyingFileSystem(operations: operations))
      }
      let start = try journal.start()
      #expect(start == positions[operations / 2])
      #expect(try journal.verify().problems == [])
      #expect(try journal.journal.entries(from: start) == (operations / 2..<7).map(Entry.numbered))
      #expect(try journal.journal.writer().endPosition == end)
      _ = try journal.trim(positions[6])
      #expect(try journal.start() == positions[6])
    }
  }

  @Test func `A journal can be trimmed while it is written, and read from where it is needed`() throws {
    let writer = try journal.writer(segmentBytes: 2_000)
    let durable = Mutex(0)
    let isDone = Mutex(false)
    let trimmed = DispatchSemaphore(value: 0)
    let removedBytes = Mutex(0)
    let failure = Mutex<(any Error)?>(nil)
    let (fileSystem, directory) = (journal.fileSystem, journal.directory)
    DispatchQueue(label: "trim").async {
      do {
        while !isDone.withLock({ $0 }) {
          let position = durable.withLock { $0 }
          let removed = try trimJournal(
            fileSystem: fileSystem, directory: directory, before: position)
          removedBytes.withLock { $0 += removed }
        }
      } catch { failure.withLock { $0 = error } }
      trimmed.signal()
    }
    var number = 0
    // Until it has met the writer a few times; the deadline is for a machine that is very busy.
    let deadline = ContinuousClock.now + .seconds(60)
    while removedBytes.withLock({ $0 }) < 100_000, ContinuousClock.now < deadline {
      try writer.append(EntryBuffer((number..<number + 10).map(Entry.numbered)))
      try writer.sync()
      durable.withLock { $0 = writer.durablePosition }
      number += 10
    }
    isDone.withLock { $0 = true }
    trimmed.wait()
    #expect(failure.withLock { $0 } == nil)
    #expect(removedBytes.withLock { $0 } >= 100_000)
    let report = try verify()
    #expect(report.problems == [])
    #expect(report.endPosition == writer.endPosition)
    let entries = try journal.entries(from: start())
    #expect(!entries.isEmpty)
    #expect(entries == (number - entries.count..<number).map(Entry.numbered))
  }
}

/// The local file system, until the machine dies after so many removals and folder syncs: then each fails
/// and does nothing.
private final class DyingFileSystem: FileSystem {
  private let local = LocalFileSystem()
  private let operationsLeft: Mutex<Int>
  private let written = Mutex<[String]>([])

  init(operations: Int) { operationsLeft = Mutex(operations) }

  /// The removals and folder syncs so far.
  var log: [String] { written.withLock { $0 } }

  private func count(_ operation: StorageError.Operation, _ path: String) throws(StorageError) {
    let isDead = operationsLeft.withLock { left in
      left -= 1
      return left < 0
    }
    if isDead { throw StorageError(operation: operation, path: path, code: EIO) }
  }

  func remove(_ path: String) throws(StorageError) {
    try count(.remove, path)
    try local.remove(path)
    written.withLock { $0.append("remove \(path)") }
  }
  func syncDirectory(_ path: String) throws(StorageError) {
    try count(.syncDirectory, path)
    try local.syncDirectory(path)
    written.withLock { $0.append("sync \(path.split(separator: "/").last ?? "/")") }
  }
  func createDirectories(_ path: String) throws(StorageError) { try local.createDirectories(path) }
  func list(_ directory: String) throws(StorageError) -> [String] { try local.list(directory) }
  func openForReading(_ path: String) throws(StorageError) -> any File { try local.openForReading(path) }
  func openForAppending(_ path: String) throws(StorageError) -> any File { try local.openForAppending(path) }
  func rename(_ path: String, to newPath: String) throws(StorageError) { try local.rename(path, to: newPath) }
  func createLink(_ path: String, target: String) throws(StorageError) {
    try local.createLink(path, target: target)
  }
  func linkTarget(_ path: String) throws(StorageError) -> String { try local.linkTarget(path) }
  func freeBytes(_ path: String) throws(StorageError) -> Int { try local.freeBytes(path) }
  func lock(_ path: String) throws(StorageError) -> any FileLock { try local.lock(path) }
}
