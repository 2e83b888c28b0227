import SegmentLog
import Storage
import Testing

@Suite struct TableVerifierTests {
  private let table: TableFixture

  /// Three segments of two rows, the last one still open.
  init() throws {
    table = try TableFixture()
    let writer = try table.writer(segmentBytes: 20)
    try writer.append((0..<5).map { "{\"row\":\"\($0)\"}\n" })
    try writer.close()
  }

  private func change(_ path: String, _ body: (inout [UInt8]) -> Void) throws {
    var bytes = try table.fileSystem.readFile(path)
    body(&bytes)
    try table.fileSystem.overwrite(path, bytes)
  }

  private func problems() throws -> [String] { try table.verify().problems.map(\.description) }

  @Test func `A good table has nothing to tell`() throws {
    let report = try table.verify()
    #expect(report.segments == 3)
    #expect(report.rows == 5)
    #expect(report.bytes == 60)
    #expect(report.problems == [])
    #expect(report.notes == [])
  }

  @Test func `A flipped bit in any byte of any segment is found`() throws {
    for base in [0, 2, 4] {
      let bytes = try table.fileSystem.readFile(table.segment(base))
      for byte in bytes.indices {
        try change(table.segment(base)) { $0[byte] ^= 1 << (byte % 8) }
        #expect(
          try problems() == [
            "\(table.segment(base)), byte 0: the checksum of the bytes to \(bytes.count) does not match"
          ])
        try table.fileSystem.overwrite(table.segment(base), bytes)
      }
    }
    #expect(try problems() == [])
  }

  @Test func `Two rows that were swapped are found`() throws {
    try change(table.segment(0)) { $0 = Array($0[12...] + $0[..<12]) }
    #expect(
      try problems() == ["\(table.segment(0)), byte 0: the checksum of the bytes to 24 does not match"])
  }

  @Test func `A missing segment is found twice: by its rows, and by its checksums`() throws {
    try table.fileSystem.remove(table.segment(2))
    #expect(
      try problems() == [
        "\(table.segment(4)), byte 0: rows 2 to 3 are missing before it",
        "\(table.sidecar(2)), byte 0: its segment 00000000000000000002.ndjson is missing",
      ])
  }

  @Test func `A missing segment without checksums is found in the middle, and noted at the beginning`() throws
  {
    try table.fileSystem.remove(table.segment(0))
    try table.fileSystem.remove(table.sidecar(0))
    let report = try table.verify()
    #expect(report.problems == [])
    #expect(report.notes.map(\.what) == ["the table begins with row 2"])
    try table.writer(segmentBytes: 20).append(["{\"row\":\"5\"}\n", "{\"row\":\"6\"}\n"])
    try table.fileSystem.remove(table.segment(4))
    try table.fileSystem.remove(table.sidecar(4))
    #expect(try problems() == ["\(table.segment(6)), byte 0: rows 4 to 5 are missing before it"])
  }

  @Test func `A sealed segment cut at any byte is found`() throws {
    let bytes = try table.fileSystem.readFile(table.segment(2))
    for length in 0..<bytes.count {
      try table.fileSystem.overwrite(table.segment(2), Array(bytes[..<length]))
      let found = try problems()
      #expect(found.first == "\(table.segment(2)), byte \(length): ends here, but has checksums to byte 24")
    }
  }

  @Test func `Bytes after the end of a sealed segment are found`() throws {
    try table.fileSystem.openForAppending(table.segment(0)).append(Array("{}\n".utf8))
    #expect(
      try problems() == [
        "\(table.segment(0)), byte 24: bytes after the end of a sealed segment",
        "\(table.segment(2)), byte 0: begins with row 2, but the segment before ends with row 2",
      ])
  }

  @Test func `A wrong number of rows in a checksum file is found`() throws {
    try change(table.sidecar(4)) { $0["stepgate-checksums 1\n12 ".utf8.count] = UInt8(ascii: "7") }
    #expect(try problems() == ["\(table.segment(4)), byte 0: 1 rows to byte 12, not 3"])
  }

  @Test func `An unsealed segment that others follow is found`() throws {
    try change(table.sidecar(0)) { $0.removeLast("sealed\n".utf8.count) }
    #expect(try problems() == ["\(table.segment(0)), byte 24: not sealed, though a later segment follows"])
  }

  @Test func `A torn last row of the active segment is only a note, elsewhere a problem`() throws {
    try table.fileSystem.openForAppending(table.segment(4)).append(Array("{\"ro".utf8))
    let report = try table.verify()
    #expect(report.problems == [])
    #expect(report.notes.map(\.description) == ["\(table.segment(4)), byte 12: a torn last row of 4 bytes"])
    #expect(report.rows == 5)
  }

  @Test func `A segment without checksums is unverified, which is a note`() throws {
    try table.fileSystem.remove(table.sidecar(2))
    let report = try table.verify()
    #expect(report.problems == [])
    #expect(report.notes.map(\.what) == ["unverified: it has no checksums"])
    #expect(report.rows == 5)
  }

  @Test func `A damaged checksum file is told by its own path and byte`() throws {
    try change(table.sidecar(2)) { $0[25] = UInt8(ascii: "?") }
    #expect(try problems() == ["\(table.sidecar(2)), byte 21: not a checksum line"])
  }

  @Test func `A segment that cannot be read is reported, and the rest is checked`() throws {
    try table.fileSystem.remove(table.segment(2))
    try table.fileSystem.createLink(table.segment(2), target: "nowhere")
    try change(table.segment(4)) { $0[0] ^= 1 }
    #expect(
      try problems() == [
        "\(table.segment(2)), byte 0: cannot open \(table.segment(2)): No such file or directory",
        "\(table.segment(4)), byte 0: the checksum of the bytes to 12 does not match",
      ])
  }

  @Test func `A link that points elsewhere is noted`() throws {
    try table.fileSystem.replaceLink("\(table.directory)/current.ndjson", target: "nowhere")
    #expect(
      try table.verify().notes.map(\.what) == [
        "does not point to the newest segment; the gateway sets it when it starts"
      ])
  }

  @Test func `A table that does not exist is an error of its own`() throws {
    #expect(throws: StorageError.self) {
      try verifyTable(fileSystem: table.fileSystem, directory: table.folder("nowhere"))
    }
  }
}
