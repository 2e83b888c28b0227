import SegmentLog
import Storage
import Testing

@Suite struct SegmentWriterTests {
  private let table: TableFixture

  init() throws { table = try TableFixture() }

  @Test func `A new table has an empty segment, and a link to it`() throws {
    let writer = try table.writer()
    #expect(writer.endOffset == 0)
    #expect(writer.openReport.endOffset == 0 && writer.openReport.tornRow == nil)
    #expect(try table.fileSystem.text("\(table.directory)/current.ndjson") == "")
    #expect(try table.rows() == [])
  }

  @Test func `Rows can be read at once, before they are synced`() throws {
    let writer = try table.writer()
    try writer.append([row(0), row(1)])
    #expect(try table.rows() == [row(0), row(1)])
    #expect(writer.endOffset == 2)
    #expect(writer.activeSegmentBytes == (row(0) + row(1)).utf8.count)
  }

  /// The checksums were made with xxHash's own C interface.
  @Test func `The files are these bytes`() throws {
    let writer = try table.writer(segmentBytes: 24)
    try writer.append(["{\"a\":1}\n", "{\"a\":22}\n", "{\"a\":333}\n", "{\"b\":1}\n"])
    try writer.close()
    let first = "00000000000000000000"
    let second = "00000000000000000003"
    #expect(
      try table.fileSystem.list(table.directory) == [
        ".\(first).checksums", ".\(second).checksums", "\(first).ndjson", "\(second).ndjson",
        "current.ndjson",
      ])
    #expect(try table.fileSystem.text(table.segment(0)) == "{\"a\":1}\n{\"a\":22}\n{\"a\":333}\n")
    #expect(try table.fileSystem.text(table.segment(3)) == "{\"b\":1}\n")
    #expect(try table.fileSystem.linkTarget("\(table.directory)/current.ndjson") == "\(second).ndjson")
    #expect(
      try table.fileSystem.text(table.sidecar(0)) == """
        stepgate-checksums 1
        27 3 f1f95f17dd3dffb2
        sealed

        """)
    #expect(
      try table.fileSystem.text(table.sidecar(3)) == """
        stepgate-checksums 1
        8 4 cddc6bf76f1c9537

        """)
  }

  @Test func `A segment is sealed by the row that reaches its length`() throws {
    let writer = try table.writer(segmentBytes: 20)
    try writer.append(["123456789\n"])
    #expect(writer.activeSegmentBytes == 10)
    try writer.append(["123456789\n"])
    #expect(writer.activeSegmentBytes == 0, "20 bytes are 20 bytes")
    try writer.append(["a row that is longer than a segment\n", "b\n"])
    #expect(writer.activeSegmentBytes == 2)
    #expect(try table.verify().segments == 3)
  }

  @Test func `Rolling seals the active segment, unless it is empty`() throws {
    let writer = try table.writer()
    try writer.roll()
    try writer.append([row(0)])
    try writer.roll()
    try writer.roll()
    try writer.append([row(1)])
    try writer.close()
    let report = try table.verify()
    #expect(report.segments == 2)
    #expect(report.rows == 2)
    #expect(report.problems == [] && report.notes == [])
    #expect(try table.rows() == [row(0), row(1)])
  }

  @Test(arguments: 0..<8)
  func `The files do not depend on how rows are cut into batches`(_: UInt64) throws {
    let seed = UInt64.random(in: 0 ... .max)
    print("batches: seed \(seed)")
    var random = SplitMix(seed)
    let segmentBytes = Int.random(in: 1...200_000, using: &random)
    let rows = (0..<6000).map(row)

    let expected = try TableFixture()
    let single = try expected.writer(segmentBytes: segmentBytes)
    for row in rows { try single.append([row]) }
    try single.close()

    let writer = try table.writer(segmentBytes: segmentBytes)
    var start = 0
    while start < rows.count {
      let end = min(rows.count, start + Int.random(in: 1...3000, using: &random))
      try writer.append(Array(rows[start..<end]))
      if Bool.random(using: &random) { try writer.sync() }
      start = end
    }
    try writer.close()
    let same =
      try table.fileSystem.contents(table.directory) == expected.fileSystem.contents(expected.directory)
    #expect(same, "seed \(seed), segments of \(segmentBytes) bytes")
    #expect(try table.rows() == rows)
    #expect(try table.verify().problems == [])
  }

  @Test func `A line of checksums is written only after the rows and their segment's name are durable`()
    throws
  {
    let disk = FaultyFileSystem()
    let writer = try SegmentWriter(fileSystem: disk, directory: table.directory)
    _ = disk.takeLog()
    for first in stride(from: 0, to: 4000, by: 100) { try writer.append((first..<first + 100).map(row)) }
    let written = disk.takeLog()
    #expect(Set(written) == ["write 00000000000000000000.ndjson"])
    #expect(written.count == 40, "one write a batch")
    try writer.sync()
    #expect(
      disk.takeLog() == [
        "sync 00000000000000000000.ndjson", "sync folder table",
        "write .00000000000000000000.checksums", "sync .00000000000000000000.checksums",
      ])
    try writer.sync()
    #expect(disk.takeLog() == ["sync 00000000000000000000.ndjson"])
  }

  @Test(arguments: [StorageError.Operation.write, .sync])
  func `A writer that has failed fails for good`(operation: StorageError.Operation) throws {
    let disk = FaultyFileSystem()
    let writer = try SegmentWriter(fileSystem: disk, directory: table.directory)
    try writer.append([row(0)])
    disk.fail(operation)
    #expect(throws: StorageError.self) {
      try writer.append([row(1)])
      try writer.sync()
    }
    disk.fail(nil)
    #expect(throws: StorageError.self) { try writer.append([row(2)]) }
    #expect(throws: StorageError.self) { try writer.sync() }
    #expect(throws: StorageError.self) { try writer.roll() }
    #expect(throws: StorageError.self) { try writer.close() }
  }
}

/// A small, seeded source of numbers.
private struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
