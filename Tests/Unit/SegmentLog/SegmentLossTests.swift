import SegmentLog
import Storage
import TestSupport
import Testing

/// Damage that the rows to come cannot make good, because they begin behind it or end before it: it is told and stays,
/// and the rows that there are have their offsets.
@Suite struct SegmentLossTests {
  private let original: OriginalTable

  init() throws { original = try OriginalTable() }

  // MARK: Damage outside of the rows to come

  @Test func `Damage before the position cannot be made good, is told, and stays`() throws {
    var random = SeededRandom(seed: 1)
    let rows = RowSource(rows: (0..<9000).map(row))
    var files = try rows.undisturbedFiles()
    // The second block is damaged; the position is behind that byte, in the same block.
    files[segmentFile(0)]?[70_000] ^= 1
    let offset = rows.rows.indices.first { rows.bytes(before: $0) > 80_000 } ?? 0
    let table = try MemoryTable(files)
    let resumed = TablePosition(baseOffset: 0, byte: rows.bytes(before: offset), offset: offset)
    let writer = try table.writer(rows, at: resumed)
    try rows.feed(writer, offset, 9000, &random)
    try writer.close()
    let findings = writer.takeFindings()
    #expect(findings.map(\.outcome) == [.leftInPlace])
    #expect(findings.first?.byte ?? 0 < 70_000 && findings.first?.byte ?? 0 > 65_000)
    #expect(try table.files(damaged: true) == files)
    #expect(try table.problems().count == 1)
  }

  @Test func `Other rows before the position than there should be are told, and stay`() throws {
    var files = original.files
    files[sidecarFile(0)] = nil
    files[segmentFile(0)]?[4] = UInt8(ascii: "\n")
    let found = try original.recover(files, at: original.position(at: 5))
    let finding = RecoveryFinding(
      path: found.table.path(segmentFile(0)), byte: original.position(at: 5).byte,
      what: "row 6 follows, where row 5 should", outcome: .leftInPlace)
    #expect(found.findings == [finding])
    #expect(try found.table.files(damaged: true)[segmentFile(0)] == files[segmentFile(0)])
  }

  @Test func `Damage in rows that are not given once more is told, and stays`() throws {
    var files = original.files
    files[segmentFile(original.bases[1])]?[5] ^= 1
    let found = try original.recover(files, end: 3)
    #expect(found.unexplained == 37)
    #expect(found.findings.map(\.outcome) == [.leftInPlace])
    #expect(found.findings.map(\.path) == [found.table.path(segmentFile(original.bases[1]))])
    #expect(try found.table.files(damaged: true) == files)
  }

  @Test func `Later segments that do not follow on what is there are set aside`() throws {
    let missing = original.files.filter {
      $0.key != segmentFile(original.bases[1]) && $0.key != sidecarFile(original.bases[1])
    }
    let found = try original.recover(missing, end: 3)
    #expect(found.unexplained == original.bases[1] - 3)
    let later = original.bases.dropFirst(2).flatMap { [segmentFile($0), sidecarFile($0)] }
    #expect(found.findings.map(\.path) == later.map(found.table.path))
    #expect(
      found.findings.first?.what
        == "begins with row \(original.bases[2]), where row \(original.bases[1]) comes next")
    let after = try found.table.files(damaged: true)
    for base in original.bases.dropFirst(2) {
      #expect(after[damagedFile(base)] == original.files[segmentFile(base)])
      #expect(after[damagedSidecar(base)] == original.files[sidecarFile(base)])
    }
    #expect(try found.table.problems() == [])
    #expect(try found.table.rows() == Array(original.source.rows[..<original.bases[1]]))
  }

  // MARK: Positions that the disk does not have

  @Test func `Behind a segment that is too short for the position, a new one begins`() throws {
    let newest = original.bases[original.bases.count - 1]
    for cut in [0, 10, 70] {
      var files = original.files
      files[sidecarFile(newest)] = []
      files[segmentFile(newest)]?.removeLast(original.files[segmentFile(newest), default: []].count - cut)
      let wholeRows = files[segmentFile(newest), default: []].count { $0 == UInt8(ascii: "\n") }
      let offset = newest + 4
      let found = try original.recover(files, at: original.position(at: offset))
      let finding = RecoveryFinding(
        path: found.table.path(segmentFile(newest)), byte: cut, what: "ends here",
        outcome: .rowsMissing(newest + wholeRows..<offset))
      #expect(found.findings == [finding])
      let after = try found.table.files(damaged: true)
      #expect(after[segmentFile(newest)] == files[segmentFile(newest)], "it stays as it is")
      #expect(after[segmentFile(offset)] == Array(original.source.rows[offset...].joined().utf8))
      #expect(try found.table.rows(from: offset) == Array(original.source.rows[offset...]))
    }
  }

  @Test func `In place of a segment that is missing before later ones, a new one leads to these`() throws {
    let base = original.bases[1]
    let files = original.files.filter { $0.key != segmentFile(base) && $0.key != sidecarFile(base) }
    let found = try original.recover(files, at: original.position(at: base + 3))
    #expect(found.findings.map(\.outcome) == [.rowsMissing(base..<base + 3)])
    #expect(found.findings.map(\.path) == [found.table.path(segmentFile(base))])
    #expect(try found.table.rows(from: base + 3) == Array(original.source.rows[(base + 3)...]))
    for (name, bytes) in files { #expect(try found.table.files()[name] == bytes) }
  }

  @Test func `A folder that is gone begins with the rows that can be made`() throws {
    let found = try original.recover([:], at: original.position(at: 30))
    #expect(
      found.findings.map(\.description) == [
        "\(found.table.path(segmentFile(original.position(at: 30).baseOffset))), byte 0: not there; "
          + "the rows 0 to 29 are missing"
      ])
    #expect(try found.table.rows(from: 30) == Array(original.source.rows[30...]))
    #expect(try TableReader(fileSystem: found.table.memory, directory: "/table").firstOffset() == 30)
  }

  @Test func `A segment that was to begin at the position is begun`() throws {
    let newest = original.bases[original.bases.count - 1]
    let files = original.files.filter { $0.key != segmentFile(newest) && $0.key != sidecarFile(newest) }
    let found = try original.recover(files, at: TablePosition(baseOffset: newest, byte: 0, offset: newest))
    #expect(found.findings == [])
    #expect(try found.table.files(damaged: true) == original.files)
  }

  @Test func `A segment that was moved away since the position was taken is told, and not made anew`() throws
  {
    let files = original.files.filter { $0.key != segmentFile(0) && $0.key != sidecarFile(0) }
    let found = try original.recover(files, at: original.position(at: 5))
    #expect(found.findings.map(\.outcome) == [.rowsMissing(0..<original.bases[1])])
    #expect(try found.table.files(damaged: true) == files)
  }
}
