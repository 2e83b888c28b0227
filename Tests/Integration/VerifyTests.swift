// `stepgate verify`, the program: what it finds and what it exits with.

import Foundation
import Journal
import SegmentLog
import Storage
import Testing

private let rowBytes = 100

/// A table of rows of 100 bytes each, cleanly closed.
private func makeTable(_ directory: String, rows: Int, segmentBytes: Int = 1 << 20) throws {
  let writer = try SegmentWriter(
    fileSystem: LocalFileSystem(), directory: directory, options: SegmentOptions(segmentBytes: segmentBytes))
  let row = #"{"x":""# + String(repeating: "x", count: rowBytes - 9) + "\"}\n"
  try Array(String(repeating: row, count: rows).utf8).withUnsafeBytes {
    try writer.append($0, rowCount: rows)
  }
  try writer.close()
}

/// A journal of messages of one byte, a segment each.
private func makeJournal(_ directory: String, entries: Int) throws {
  let writer = try JournalWriter(
    fileSystem: LocalFileSystem(), directory: directory, options: JournalOptions(segmentBytes: 8))
  for _ in 0..<entries {
    let buffer = EntryBuffer()
    [UInt8(ascii: "x")].withUnsafeBytes { byte in
      buffer.append(kind: .message, arrivalMs: 0, topic: byte, payload: byte)
    }
    try writer.append(buffer)
    try writer.sync()
  }
}

@Suite struct VerifyTests {
  @Test func `The tables of a replay are in order`() async throws {
    let files = try LandingFiles()
    #expect(try await stepgate(files.arguments).status == 0)
    let outcome = try await stepgate(["verify", "--data", files.output])

    #expect(outcome.status == 0)
    #expect(outcome.error == "")
    let lines = outcome.output.split(separator: "\n").map(String.init)
    #expect(lines.count == 8)
    #expect(lines[0].split(separator: " ") == ["table", "rows", "segments", "bytes", "result"])
    #expect(lines[1].split(separator: " ").prefix(3) == ["customer_trusted", "3", "1"])
    #expect(lines[1...6].allSatisfy { $0.hasSuffix("  ok") })
    #expect(lines[7].hasPrefix("6 tables, 14 rows, "))
    #expect(lines[7].hasSuffix(" bytes: ok"))
  }

  @Test func `A flipped byte is found, with its file and the place of its block`() async throws {
    let folder = try TemporaryFolder()
    let table = "\(folder.path)/curated/machine_learning_curated"
    try makeTable(table, rows: 2_000)
    let segment = "\(table)/\(try segmentNames(table)[0])"
    let file = try #require(FileHandle(forUpdatingAtPath: segment))
    try file.seek(toOffset: 70_000)
    try file.write(contentsOf: Data("y".utf8))
    try file.close()
    let outcome = try await stepgate(["verify", "--data", folder.path])

    #expect(outcome.status == 1)
    #expect(outcome.error == "")
    // A block ends with the first row that makes it 64 KiB: row 656.
    #expect(outcome.output.contains("problem: \(segment), byte 65600: the checksum"))
    #expect(outcome.output.contains("machine_learning_curated  2,000         1  200,000  1 problem\n"))
    #expect(outcome.output.hasSuffix("\n1 table, 2,000 rows, 200,000 bytes: 1 problem\n"))
  }

  @Test func `A missing segment is found`() async throws {
    let folder = try TemporaryFolder()
    let table = "\(folder.path)/quarantine/rejected"
    try makeTable(table, rows: 30, segmentBytes: 10 * rowBytes)
    let segments = try segmentNames(table)
    try FileManager.default.removeItem(atPath: "\(table)/\(segments[1])")
    let outcome = try await stepgate(["verify", "--data", folder.path])

    #expect(outcome.status == 1)
    #expect(
      outcome.output.contains("problem: \(table)/\(segments[2]), byte 0: rows 10 to 19 are missing before it")
    )
  }

  @Test func `A torn last row is a note and no damage`() async throws {
    let folder = try TemporaryFolder()
    let table = "\(folder.path)/trusted/customer_trusted"
    try makeTable(table, rows: 3)
    let file = try #require(FileHandle(forUpdatingAtPath: "\(table)/current.ndjson"))
    try file.seekToEnd()
    try file.write(contentsOf: Data("{".utf8))
    let outcome = try await stepgate(["verify", "--data", folder.path])

    #expect(outcome.status == 0)
    #expect(
      outcome.output.contains("note: \(table)/\(try segmentNames(table)[0]), byte 300: a torn last row"))
    #expect(outcome.output.contains("note: \(folder.path)/quarantine/rejected is not there\n"))
  }

  @Test func `A table that cannot be listed is a problem and the others are still checked`() async throws {
    let folder = try TemporaryFolder()
    let file = try folder.file("trusted/customer_trusted", "")
    try makeTable("\(folder.path)/quarantine/rejected", rows: 3)
    let outcome = try await stepgate(["verify", "--data", folder.path])

    #expect(outcome.status == 1)
    let problem = "problem: cannot list folder \(file): Not a directory\n"
    #expect(outcome.output.contains(problem), "\(outcome)")
    #expect(outcome.output.contains("\nrejected "), "\(outcome)")
  }

  @Test func `A folder that cannot be read, or holds no tables, ends with 74 and one line`() async throws {
    let missing = try await stepgate(["verify", "--data", "/nowhere"])
    #expect(missing.status == 74)
    #expect(missing.output == "")
    #expect(missing.error == "cannot list folder /nowhere: No such file or directory\n")

    let folder = try TemporaryFolder()
    let empty = try await stepgate(["verify", "--data", folder.path])
    #expect(empty.status == 74)
    #expect(empty.output == "")
    #expect(empty.error == "\(folder.path) holds no tables and no journal\n")
  }

  @Test func `The journal has a line of its own, and counts in the sum`() async throws {
    let folder = try TemporaryFolder()
    try makeTable("\(folder.path)/quarantine/rejected", rows: 3)
    try makeJournal("\(folder.path)/journal", entries: 2)
    let outcome = try await stepgate(["verify", "--data", folder.path])

    #expect(outcome.status == 0)
    #expect(outcome.error == "")
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.contains("journal: 2 entries, 2 segments, 160 bytes, positions 0 to 96: ok"))
    #expect(lines.last == "1 table, 3 rows, 2 journal entries, 460 bytes: ok")
  }

  @Test func `Damage in the journal is found, also where there are no tables`() async throws {
    let folder = try TemporaryFolder()
    let journal = "\(folder.path)/journal"
    try makeJournal(journal, entries: 3)
    let segments = try FileManager.default.contentsOfDirectory(atPath: journal).sorted()
    let damaged = "\(journal)/\(segments[0])"
    let file = try #require(FileHandle(forUpdatingAtPath: damaged))
    try file.seek(toOffset: 40)
    try file.write(contentsOf: Data("y".utf8))
    try file.close()
    try FileManager.default.removeItem(atPath: "\(journal)/\(segments[1])")
    let outcome = try await stepgate(["verify", "--data", folder.path])

    #expect(outcome.status == 1)
    #expect(outcome.error == "")
    #expect(outcome.output.contains("problem: \(damaged), byte 32: no good entry in 48 bytes\n"))
    #expect(
      outcome.output.contains(
        "problem: \(journal)/\(segments[2]), byte 0: positions 48 to 95 are missing before it\n"))
    #expect(
      outcome.output.contains("\njournal: 1 entry, 2 segments, 160 bytes, positions 0 to 144: 2 problems\n"))
    #expect(outcome.output.hasSuffix("\n0 tables, 0 rows, 1 journal entry, 160 bytes: 2 problems\n"))
  }

  @Test func `A journal with a torn end is in order, and one that cannot be listed is not`() async throws {
    let folder = try TemporaryFolder()
    let journal = "\(folder.path)/journal"
    try makeJournal(journal, entries: 1)
    let segment = "\(journal)/00000000000000000000.journal"
    let file = try #require(FileHandle(forUpdatingAtPath: segment))
    try file.seekToEnd()
    try file.write(contentsOf: Data("torn".utf8))
    try file.close()
    let torn = try await stepgate(["verify", "--data", folder.path])
    #expect(torn.status == 0)
    #expect(
      torn.output.contains("note: \(segment), byte 80: the torn end of a write, or one under way: 4 bytes"))

    try FileManager.default.removeItem(atPath: journal)
    _ = try folder.file("journal", "no folder")
    let unreadable = try await stepgate(["verify", "--data", folder.path])
    #expect(unreadable.status == 1)
    #expect(unreadable.output.contains("\njournal: unreadable\n"))
    #expect(unreadable.output.contains("problem: cannot list folder \(journal): Not a directory\n"))
  }

  @Test func `Damage is in the exit code also when nobody reads on, and a full disk is told`() async throws {
    let folder = try TemporaryFolder()
    let table = "\(folder.path)/quarantine/rejected"
    try makeTable(table, rows: 3)
    try FileManager.default.removeItem(atPath: "\(table)/\(segmentNames(table)[0])")
    let pipe = Pipe()
    try pipe.fileHandleForReading.close()
    let unread = try await stepgate(["verify", "--data", folder.path], output: pipe.fileHandleForWriting)
    #expect(unread.status == 1)
    #expect(unread.error == "")

    let unwritten = try await stepgate(["verify", "--data", folder.path], redirection: ">/dev/full")
    #expect(unwritten.status == 74)
    #expect(unwritten.error == "cannot write to stdout: No space left on device\n")
  }
}
