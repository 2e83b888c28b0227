// `stepgate tail`, the program, over tables that are there, grow, roll, or are not there yet.

import Foundation
import SegmentLog
import Storage
import Testing

/// A table that the test writes, in the data folder's place for accelerometer_trusted.
private final class GrowingTable {
  let folder: TemporaryFolder
  var directory: String { "\(folder.path)/trusted/accelerometer_trusted" }
  private(set) var rows: [String] = []
  private let writer: SegmentWriter

  /// - Parameter segmentBytes: tiny, so that a few rows roll.
  init(in folder: TemporaryFolder, segmentBytes: Int = 100) throws {
    self.folder = folder
    writer = try SegmentWriter(
      fileSystem: LocalFileSystem(), directory: "\(folder.path)/trusted/accelerometer_trusted",
      options: SegmentOptions(segmentBytes: segmentBytes))
  }

  /// Appends rows that say which they are, in one write.
  func append(_ count: Int) throws {
    let new = (rows.count..<rows.count + count).map { #"{"row":\#($0)}"# }
    let bytes = Array(lines(new).utf8)
    try bytes.withUnsafeBytes { try writer.append($0, rowCount: count) }
    rows += new
  }

  func close() throws { try writer.close() }
}

private func lines(_ rows: some Sequence<String>) -> String { rows.map { $0 + "\n" }.joined() }

private func tail(_ folder: TemporaryFolder, _ options: String...) -> [String] {
  ["tail", "accelerometer_trusted", "--data", folder.path] + options
}

@Suite struct TailTests {
  @Test(arguments: [
    ([], 90..<100), (["--lines", "3"], 97..<100), (["--lines", "0"], 0..<0), (["--lines", "1000"], 0..<100),
    (["--from-offset", "0"], 0..<100), (["--from-offset", "42"], 42..<100),
    (["--from-offset", "42", "--lines", "7"], 42..<49), (["--from-offset", "99"], 99..<100),
    (["--from-offset", "100"], 0..<0), (["--from-offset", "12345"], 0..<0),
    (["--from-offset", "98", "--lines", "7"], 98..<100), (["--from-offset", "5", "--lines", "0"], 0..<0),
  ])
  func `The rows that were asked for are printed, across segments`(
    options: [String], rows: Range<Int>
  ) async throws {
    let table = try GrowingTable(in: TemporaryFolder())
    for count in [1, 2, 30, 7, 60] { try table.append(count) }
    try table.close()
    #expect(try segmentNames(table.directory).count > 5)

    let outcome = try await stepgate(tail(table.folder) + options)
    #expect(outcome.status == 0)
    #expect(outcome.output == lines(table.rows[rows]))
    #expect(outcome.error == "")
  }

  @Test func `A torn last row is not printed`() async throws {
    let table = try GrowingTable(in: TemporaryFolder(), segmentBytes: 1 << 20)
    try table.append(3)
    let segment = try #require(FileHandle(forWritingAtPath: "\(table.directory)/current.ndjson"))
    try segment.seekToEnd()
    try segment.write(contentsOf: Data(#"{"row":"#.utf8))

    let outcome = try await stepgate(tail(table.folder))
    #expect(outcome.status == 0)
    #expect(outcome.output == lines(table.rows))
  }

  @Test func `Many rows are printed without one more or less`() async throws {
    let table = try GrowingTable(in: TemporaryFolder(), segmentBytes: 300_000)
    try table.append(100_000)

    let all = try await stepgate(tail(table.folder, "--from-offset", "0"))
    #expect(all.output == lines(table.rows))
    let middle = try await stepgate(tail(table.folder, "--from-offset", "33333", "--lines", "33333"))
    #expect(middle.output == lines(table.rows[33_333..<66_666]))
  }

  @Test(arguments: [SIGINT, SIGTERM])
  func `Following a table that grows and rolls prints each row once, until a signal`(
    signal: Int32
  ) async throws {
    let folder = try TemporaryFolder()
    let process = try StepgateProcess(tail(folder, "--follow"))
    // It waits for a table that is not there yet.
    try await eventually("tail has started") { process.handles(signal) }
    let table = try GrowingTable(in: folder)

    for count in [1, 5, 200, 1, 1, 93, 2_000] {
      try table.append(count)
      let expected = lines(table.rows)
      try await eventually("the new rows are printed") {
        try process.output.utf8.count >= expected.utf8.count
      }
      #expect(try process.output == expected)
    }
    process.send(signal)
    #expect(try await process.exitStatus() == 0)
    #expect(try process.output == lines(table.rows))
    #expect(try process.error == "")
  }

  @Test func `A signal ends the waiting for a table that never comes`() async throws {
    let process = try StepgateProcess(tail(TemporaryFolder(), "--follow"))
    try await eventually("tail has started") { process.handles(SIGINT) }
    process.send(SIGINT)

    #expect(try await process.exitStatus() == 0)
    #expect(try process.output == "")
    #expect(try process.error == "")
  }

  @Test func `An idle follow takes next to no time of a processor, however many segments there are`()
    async throws
  {
    let folder = try TemporaryFolder()
    let count = 5_000
    for base in 0..<count {
      let name = String(repeating: "0", count: 20 - "\(base)".count) + "\(base).ndjson"
      _ = try folder.file("trusted/accelerometer_trusted/\(name)", "{}\n")
    }
    let process = try StepgateProcess(tail(folder, "--follow", "--from-offset", "0"))
    try await eventually("all rows are printed") { try process.outputBytes == 3 * count }
    // Without a link it has to list; with one it has not.
    let directory = "\(folder.path)/trusted/accelerometer_trusted"
    try FileManager.default.createSymbolicLink(
      atPath: "\(directory)/current.ndjson", withDestinationPath: "00000000000000004999.ndjson")
    try await Task.sleep(for: .milliseconds(200))

    let before = try process.processorSeconds()
    try await Task.sleep(for: .seconds(2))
    #expect(try process.processorSeconds() - before <= 0.06)

    _ = try folder.file("trusted/accelerometer_trusted/00000000000000005000.ndjson", "{}\n")
    try await eventually("the next row is printed") { try process.outputBytes == 3 * count + 3 }
    process.send(SIGINT)
    #expect(try await process.exitStatus() == 0)
  }

  @Test func `Following with an offset and a number of lines ends with the last of them`() async throws {
    let table = try GrowingTable(in: TemporaryFolder())
    try table.append(5)
    let process = try StepgateProcess(tail(table.folder, "--follow", "--from-offset", "3", "--lines", "4"))
    try await eventually("the rows that are there are printed") { try !process.output.isEmpty }
    try table.append(10)

    #expect(try await process.exitStatus() == 0)
    #expect(try process.output == lines(table.rows[3..<7]))
  }

  @Test func `A reader that goes away ends the following, also when no row comes any more`() async throws {
    let table = try GrowingTable(in: TemporaryFolder())
    try table.append(3)
    let pipe = Pipe()
    let process = try StepgateProcess(
      tail(table.folder, "--follow"), output: pipe.fileHandleForWriting)
    try pipe.fileHandleForWriting.close()
    #expect(try pipe.fileHandleForReading.read(upToCount: 8) == Data(#"{"row":0"#.utf8))
    try pipe.fileHandleForReading.close()

    #expect(try await process.exitStatus() == 0)
    #expect(try process.error == "")
  }

  @Test func `A reader that goes away in the middle of the rows is no failure`() async throws {
    let table = try GrowingTable(in: TemporaryFolder(), segmentBytes: 1 << 20)
    // More than a pipe holds, so that the writing goes on after the reader has left.
    try table.append(200_000)
    let pipe = Pipe()
    let process = try StepgateProcess(
      tail(table.folder, "--from-offset", "0"), output: pipe.fileHandleForWriting)
    try pipe.fileHandleForWriting.close()
    _ = try pipe.fileHandleForReading.read(upToCount: 1)
    try pipe.fileHandleForReading.close()

    #expect(try await process.exitStatus() == 0)
    #expect(try process.error == "")
  }

  @Test func `A table that is not there ends with 74 and one line`() async throws {
    let folder = try TemporaryFolder()
    for path in [folder.path, "/nowhere"] {
      let outcome = try await stepgate(["tail", "rejected", "--data", path])
      #expect(outcome.status == 74)
      #expect(outcome.output == "")
      #expect(outcome.error == "\(path) holds no table rejected; --follow waits for it\n")
    }
  }

  @Test func `Without a data folder the default one is read`() async throws {
    let table = try GrowingTable(in: TemporaryFolder())
    try table.append(2)
    let outcome = try await stepgate(
      ["tail", "accelerometer_trusted"], environment: ["STATE_DIRECTORY": table.folder.path])

    #expect(outcome.output == lines(table.rows))
  }

  @Test func `Rows that were moved away are told, not skipped`() async throws {
    let table = try GrowingTable(in: TemporaryFolder())
    try table.append(100)
    try FileManager.default.removeItem(atPath: "\(table.directory)/\(segmentNames(table.directory)[0])")
    let outcome = try await stepgate(tail(table.folder, "--from-offset", "0"))

    #expect(outcome.status == 74)
    #expect(outcome.output == "")
    #expect(outcome.error.hasPrefix("\(table.directory) lacks the rows 0 to "))
  }

  @Test func `Rows that cannot be written are a failure`() async throws {
    let table = try GrowingTable(in: TemporaryFolder())
    try table.append(1)
    let outcome = try await stepgate(tail(table.folder), redirection: ">/dev/full")

    #expect(outcome.status == 74)
    #expect(outcome.error == "cannot write to stdout: No space left on device\n")
  }
}
