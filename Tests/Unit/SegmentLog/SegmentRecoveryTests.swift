import SegmentLog
import Storage
import Testing

@Suite struct SegmentRecoveryTests {
  private let table: TableFixture

  init() throws { table = try TableFixture() }

  @Test func `After a clean stop a table goes on where it ended`() throws {
    let stopped = try table.writer(segmentBytes: 90_000)
    try stopped.append((0..<1500).map(row))
    try stopped.close()
    let writer = try table.writer(segmentBytes: 90_000)
    #expect(writer.openReport.endOffset == 1500)
    #expect(writer.openReport.uncheckedRows == 0 && writer.openReport.tornRow == nil)
    try writer.append((1500..<4000).map(row))
    try writer.close()
    #expect(try table.rows() == (0..<4000).map(row))
    let report = try table.verify()
    #expect(report.problems == [] && report.notes == [])
    #expect(report.rows == 4000)
  }

  @Test func `After a kill the segments and their blocks are as without it`() throws {
    let undisturbed = try TableFixture()
    let whole = try undisturbed.writer(segmentBytes: 200_000)
    try whole.append((0..<9000).map(row))
    try whole.close()

    for first in stride(from: 0, to: 9000, by: 900) {
      let writer = try table.writer(segmentBytes: 200_000)
      #expect(writer.endOffset == first)
      try writer.append((first..<first + 900).map(row))
      if first % 1800 == 0 { try writer.sync() }
      // The writer goes without being closed.
    }
    try table.writer(segmentBytes: 200_000).close()
    let same =
      try table.fileSystem.contents(table.directory) == undisturbed.fileSystem.contents(undisturbed.directory)
    #expect(same)
  }

  @Test func `Torn at any byte past the last checksum, a table keeps its whole rows and goes on`() throws {
    let stopped = try table.writer()
    try stopped.append((0..<3).map(row))
    try stopped.close()
    let checkedBytes = stopped.activeSegmentBytes
    let written = try table.writer()
    try written.append((3..<8).map(row))
    let bytes = try table.fileSystem.readFile(table.segment(0))
    let sidecar = try table.fileSystem.readFile(table.sidecar(0))

    for length in checkedBytes...bytes.count {
      try table.fileSystem.overwrite(table.segment(0), Array(bytes[..<length]))
      try table.fileSystem.overwrite(table.sidecar(0), sidecar)
      let wholeRows = bytes[..<length].count { $0 == UInt8(ascii: "\n") }
      let wholeBytes = (0..<wholeRows).map { row($0).utf8.count }.reduce(0, +)
      #expect(try table.rows() == (0..<wholeRows).map(row), "a reader sees whole rows only")
      let writer = try table.writer()
      #expect(writer.openReport.endOffset == wholeRows)
      #expect(writer.openReport.uncheckedRows == wholeRows - 3)
      let torn = writer.openReport.tornRow
      #expect(torn?.byte == (length == wholeBytes ? nil : wholeBytes))
      #expect(torn?.bytes ?? 0 == length - wholeBytes)
      try writer.append((wholeRows..<9).map(row))
      try writer.close()
      #expect(try table.rows() == (0..<9).map(row))
      let report = try table.verify()
      #expect(report.problems == [] && report.notes == [])
    }
  }

  @Test func `Cut at any byte before the last checksum, a table is damaged, and stays as it is`() throws {
    let stopped = try table.writer()
    try stopped.append((0..<3).map(row))
    try stopped.close()
    let bytes = try table.fileSystem.readFile(table.segment(0))
    for length in 0..<bytes.count {
      try table.fileSystem.overwrite(table.segment(0), Array(bytes[..<length]))
      #expect(
        throws: SegmentLogError.corrupt(
          path: table.segment(0), byte: length, what: "ends here, but has checksums to byte \(bytes.count)")
      ) { try table.writer() }
      #expect(try table.fileSystem.readFile(table.segment(0)) == Array(bytes[..<length]))
    }
  }

  @Test func `A changed byte before the last checksum is an error that names the block`() throws {
    let stopped = try table.writer()
    try stopped.append((0..<3).map(row))
    try stopped.close()
    var bytes = try table.fileSystem.readFile(table.segment(0))
    bytes[5] ^= 1
    try table.fileSystem.overwrite(table.segment(0), bytes)
    let error = #expect(throws: SegmentLogError.self) { try table.writer() }
    #expect(
      error?.description
        == "\(table.segment(0)) is damaged at byte 0: the checksum of the bytes to \(bytes.count) does not match"
    )
  }

  @Test func `A checksum file torn at any byte loses only what it covered`() throws {
    let stopped = try table.writer()
    try stopped.append((0..<4000).map(row))
    try stopped.close()
    let sidecar = try table.fileSystem.readFile(table.sidecar(0))
    for length in 0..<sidecar.count {
      try table.fileSystem.overwrite(table.sidecar(0), Array(sidecar[..<length]))
      let writer = try table.writer()
      #expect(writer.openReport.endOffset == 4000)
      #expect(writer.openReport.tornRow == nil)
      try writer.close()
      #expect(try table.fileSystem.readFile(table.sidecar(0)) == sidecar)
    }
  }

  @Test func `A stop between sealing a segment and creating the next is made good`() throws {
    let stopped = try table.writer(segmentBytes: 10)
    try stopped.append(["0123456789\n"])
    try table.fileSystem.remove(table.segment(1))
    try table.fileSystem.remove(table.sidecar(1))
    let writer = try table.writer(segmentBytes: 10)
    #expect(writer.endOffset == 1)
    #expect(writer.activeSegmentBytes == 0)
    #expect(try table.fileSystem.text("\(table.directory)/current.ndjson") == "")
    try writer.append(["next\n"])
    #expect(try table.rows() == ["0123456789\n", "next\n"])
  }

  @Test func `A segment that was taken away is an error, and its rows are not numbered anew`() throws {
    let stopped = try table.writer(segmentBytes: 10)
    try stopped.append(["0123456789\n", "next\n"])
    try stopped.close()
    try table.fileSystem.remove(table.segment(1))
    #expect(
      throws: SegmentLogError.corrupt(
        path: table.sidecar(1), byte: 0, what: "checksums of a segment that is not there")
    ) { try table.writer(segmentBytes: 10) }
  }

  @Test(arguments: [
    ("stepgate-checksums 2\n", 0, "the first line is not stepgate-checksums 1"),
    ("stepgate-checksums 1\n8 1\n", 21, "not a checksum line"),
    ("stepgate-checksums 1\n8 1 00000000000000000\n", 21, "not a checksum line"),
    ("stepgate-checksums 1\n+8 1 0000000000000000\n", 21, "not a checksum line"),
    ("stepgate-checksums 1\n0 1 0000000000000000\n", 21, "a block that ends before the one above it"),
    ("stepgate-checksums 1\nsealed\nsealed\n", 28, "a line follows the mark of a sealed segment"),
  ])
  func `A checksum file that says something else is damaged`(text: String, byte: Int, what: String) throws {
    try table.writer().close()
    try table.fileSystem.overwrite(table.sidecar(0), text)
    #expect(throws: SegmentLogError.corrupt(path: table.sidecar(0), byte: byte, what: what)) {
      try table.writer()
    }
  }
}
