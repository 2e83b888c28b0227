import SegmentLog
import Storage
import TestSupport
import Testing

/// Rows are fed once more to a table with damage: what was never synced is cut, all else is set aside, and
/// the table ends up as it was.
@Suite struct SegmentDamageTests {
  /// Segments from rows 0, 12, 20 and others; the newest one is not sealed.
  private let source = RowSource(rows: (0..<40).map(row), rolls: [20], segmentBytes: 500)
  private let expected: [String: [UInt8]]
  private let bases: [Int]

  init() throws {
    expected = try source.undisturbedFiles()
    bases = expected.keys.filter { $0.hasPrefix("0") }.compactMap { Int($0.dropLast(7)) }.sorted()
  }

  private struct Recovered {
    let table: MemoryTable
    let findings: [RecoveryFinding]
    let unexplained: Int
  }

  /// Feeds rows from `position` on to a table with these files, closes it, and checks what always holds.
  private func recover(
    _ files: [String: [UInt8]], at position: TablePosition = .start, end: Int = 40
  ) throws -> Recovered {
    var random = SeededRandom(seed: 7)
    let table = try MemoryTable(files)
    let writer = try table.writer(source, at: position)
    try source.feed(writer, position.offset, end, &random)
    let unexplained = try writer.endCatchUp()
    #expect(!writer.isCatchingUp)
    try writer.close()
    let newest = try table.files().keys.filter { $0.hasPrefix("0") }.max()
    #expect(try table.linkTarget() == newest)
    return Recovered(table: table, findings: writer.takeFindings(), unexplained: unexplained)
  }

  private func position(at offset: Int) -> TablePosition {
    let base = bases.last { $0 <= offset } ?? 0
    return TablePosition(
      baseOffset: base, byte: source.bytes(before: offset) - source.bytes(before: base), offset: offset)
  }

  private func damagedFile(_ base: Int) -> String { ".\(segmentFile(base)).damaged" }
  private func damagedSidecar(_ base: Int) -> String { "\(sidecarFile(base)).damaged" }

  // MARK: Segments

  @Test func `Bytes that never were durable are cut where they first differ`() throws {
    let newest = bases[bases.count - 1]
    var unsynced = expected
    unsynced[sidecarFile(newest)] = []
    let length = expected[segmentFile(newest), default: []].count
    for byte in 0..<length {
      var files = unsynced
      files[segmentFile(newest)]?[byte] ^= 1
      files[segmentFile(newest)]?.append(contentsOf: [0, 0, 10, 0])
      for resumed in [TablePosition.start, position(at: newest)] {
        let found = try recover(files, at: resumed)
        #expect(found.findings.map(\.outcome) == [.cut(bytes: length + 4 - byte)])
        #expect(found.findings.map(\.byte) == [byte])
        #expect(found.findings.map(\.path) == [found.table.path(segmentFile(newest))])
        #expect(try found.table.files(damaged: true) == expected, "byte \(byte)")
      }
    }
  }

  @Test func `Bytes behind the last row are cut if they never were durable`() throws {
    let newest = bases[bases.count - 1]
    var files = expected
    files[segmentFile(newest)]?.append(contentsOf: [0, 0])
    let found = try recover(files)
    #expect(found.findings.map(\.outcome) == [.cut(bytes: 2)])
    #expect(try found.table.files(damaged: true) == expected)
  }

  @Test func `Any byte that differs in a segment that was durable sets it aside, and the rows are made good`()
    throws
  {
    for base in bases {
      let name = segmentFile(base)
      for byte in expected[name, default: []].indices {
        var files = expected
        files[name]?[byte] ^= 0x10
        let found = try recover(files)
        let path = found.table.path(name)
        #expect(
          found.findings.map(\.description) == [
            "\(path), byte \(byte): differs from the row that belongs here; "
              + "set aside as \(found.table.path(damagedFile(base)))"
          ])
        let after = try found.table.files(damaged: true)
        #expect(after[damagedFile(base)] == files[name], "the damaged bytes are kept")
        #expect(after[damagedSidecar(base)] == expected[sidecarFile(base)])
        #expect(try found.table.files() == expected, "segment \(base), byte \(byte)")
        #expect(found.unexplained == 0)
        #expect(try found.table.rows() == source.rows)
      }
    }
  }

  @Test func `Damage in a segment of many blocks keeps the lines before it`() throws {
    var random = SeededRandom(seed: 1)
    let rows = RowSource(rows: (0..<9000).map(row))
    let whole = try rows.undisturbedFiles()
    for byte in [0, 70_000, 131_072, 200_000, 420_000] {
      var files = whole
      files[segmentFile(0)]?[byte] ^= 1
      let table = try MemoryTable(files)
      let writer = try table.writer(rows, at: .start)
      try rows.feed(writer, 0, 9000, &random)
      #expect(writer.takeFindings().map(\.byte) == [byte])
      try writer.close()
      #expect(try table.files() == whole)
    }
  }

  @Test func `Damage found twice in one segment is set aside under two names`() throws {
    var files = expected
    for count in 1...3 {
      files[segmentFile(0)]?[count] ^= 1
      let found = try recover(files)
      let numbered = try found.table.files(damaged: true).filter { $0.key.hasPrefix(damagedFile(0)) }
      #expect(numbered.count == count)
      files = try found.table.files(damaged: true)
    }
    #expect(files["\(damagedFile(0)).2"] != nil && files["\(damagedSidecar(0)).2"] != nil)
  }

  @Test func `Bytes behind the end of a sealed segment set it aside`() throws {
    var cases = [expected]
    // One that others follow, and one whose successor was not created yet.
    cases.append(expected.filter { !$0.key.contains(String(bases[bases.count - 1])) })
    for (var files, base) in zip(cases, [bases[1], bases[bases.count - 2]]) {
      files[segmentFile(base)]?.append(contentsOf: Array("{\"more\":1}\n".utf8))
      let found = try recover(files)
      #expect(found.findings.map(\.byte) == [expected[segmentFile(base), default: []].count])
      #expect(found.findings.map(\.what) == ["goes on behind the segment's last row"])
      #expect(try found.table.files(damaged: true)[damagedFile(base)] == files[segmentFile(base)])
      #expect(try found.table.files() == expected)
    }
  }

  @Test func `A segment that holds rows of the next one, too, is set aside`() throws {
    var files = expected
    files[sidecarFile(bases[1])] = nil
    files[segmentFile(bases[1])]?.append(contentsOf: Array(source.rows[bases[2]].utf8))
    let found = try recover(files)
    #expect(found.findings.map(\.what) == ["goes on behind the segment's last row"])
    #expect(try found.table.files() == expected)
    #expect(try found.table.rows() == source.rows)
  }

  @Test func `A segment that ends too early is completed`() throws {
    for base in bases {
      let length = expected[segmentFile(base), default: []].count
      for cut in 0..<length {
        var files = expected
        files[segmentFile(base)]?.removeLast(length - cut)
        let found = try recover(files)
        #expect(
          found.findings.first
            == RecoveryFinding(
              path: found.table.path(segmentFile(base)), byte: cut,
              what: "ends here, but has checksums to byte \(length)",
              outcome: .setAside(path: found.table.path(damagedSidecar(base)))))
        #expect(try found.table.files() == expected, "segment \(base), cut to \(cut)")
        #expect(try !found.table.files(damaged: true).keys.contains(damagedFile(base)))
      }
    }
  }

  @Test func `A segment without checksums that ends too early is completed`() throws {
    let base = bases[1]
    var files = expected
    files[sidecarFile(base)] = nil
    files[segmentFile(base)]?.removeLast(70)
    let found = try recover(files)
    let finding = RecoveryFinding(
      path: found.table.path(segmentFile(base)), byte: files[segmentFile(base), default: []].count,
      what: "ends here, but the next segment begins with row \(bases[2])", outcome: .writtenAgain)
    #expect(found.findings == [finding])
    #expect(try found.table.files(damaged: true) == expected)
  }

  @Test(arguments: [true, false])
  func `A segment that is missing is made once more`(withItsChecksums: Bool) throws {
    for base in bases.dropFirst() {
      let files = expected.filter {
        $0.key != segmentFile(base) && (withItsChecksums || $0.key != sidecarFile(base))
      }
      let found = try recover(files)
      let isNewest = base == bases.last
      #expect(found.findings.isEmpty == (isNewest && !withItsChecksums))
      #expect(found.findings.allSatisfy { $0.path.contains(String(base)) })
      #expect(try found.table.files() == expected)
    }
  }

  // MARK: Checksums

  @Test
  func `Any byte that differs in a checksum file leaves the rows alone, and the checksums are made good`()
    throws
  {
    for base in bases {
      let name = sidecarFile(base)
      let bytes = expected[name, default: []]
      for byte in bytes.indices {
        for bit: UInt8 in [1, 0x10] {
          var files = expected
          files[name]?[byte] ^= bit
          let found = try recover(files)
          let comment: Comment = "checksums of \(base), byte \(byte), bit \(bit)"
          #expect(try found.table.files() == expected, comment)
          // A last line feed that is none makes a torn line.
          if byte == bytes.count - 1 {
            #expect(found.findings == [], comment)
          } else {
            #expect(found.findings.count == 1, comment)
            let aside = RecoveryFinding.Outcome.setAside(path: found.table.path(damagedSidecar(base)))
            #expect(found.findings.first?.outcome == aside, comment)
            #expect(try found.table.files(damaged: true)[damagedSidecar(base)] == files[name], comment)
          }
        }
      }
    }
  }

  @Test func `Any byte that differs among the checksums of many blocks is found`() throws {
    var random = SeededRandom(seed: 1)
    let rows = RowSource(rows: (0..<9000).map(row))
    let whole = try rows.undisturbedFiles()
    for byte in stride(from: 0, to: whole[sidecarFile(0), default: []].count - 1, by: 3) {
      var files = whole
      files[sidecarFile(0)]?[byte] ^= 1
      let table = try MemoryTable(files)
      let writer = try table.writer(rows, at: .start)
      try rows.feed(writer, 0, 9000, &random)
      #expect(writer.takeFindings().count == 1, "byte \(byte)")
      try writer.close()
      #expect(try table.files() == whole, "byte \(byte)")
    }
  }

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
    var files = expected
    files[sidecarFile(0)] = nil
    files[segmentFile(0)]?[4] = UInt8(ascii: "\n")
    let found = try recover(files, at: position(at: 5))
    let finding = RecoveryFinding(
      path: found.table.path(segmentFile(0)), byte: position(at: 5).byte,
      what: "row 6 follows, where row 5 should", outcome: .leftInPlace)
    #expect(found.findings == [finding])
    #expect(try found.table.files(damaged: true)[segmentFile(0)] == files[segmentFile(0)])
  }

  @Test func `Damage in rows that are not given once more is told, and stays`() throws {
    var files = expected
    files[segmentFile(bases[1])]?[5] ^= 1
    let found = try recover(files, end: 3)
    #expect(found.unexplained == 37)
    #expect(found.findings.map(\.outcome) == [.leftInPlace])
    #expect(found.findings.map(\.path) == [found.table.path(segmentFile(bases[1]))])
    #expect(try found.table.files(damaged: true) == files)
  }

  @Test func `Later segments that do not follow on what is there are set aside`() throws {
    let missing = expected.filter { $0.key != segmentFile(bases[1]) && $0.key != sidecarFile(bases[1]) }
    let found = try recover(missing, end: 3)
    #expect(found.unexplained == bases[1] - 3)
    let later = bases.dropFirst(2).flatMap { [segmentFile($0), sidecarFile($0)] }
    #expect(found.findings.map(\.path) == later.map(found.table.path))
    #expect(
      found.findings.first?.what == "begins with row \(bases[2]), where row \(bases[1]) comes next")
    let after = try found.table.files(damaged: true)
    for base in bases.dropFirst(2) {
      #expect(after[damagedFile(base)] == expected[segmentFile(base)])
      #expect(after[damagedSidecar(base)] == expected[sidecarFile(base)])
    }
    #expect(try found.table.problems() == [])
    #expect(try found.table.rows() == Array(source.rows[..<bases[1]]))
  }

  // MARK: Positions that the disk does not have

  @Test func `Behind a segment that is too short for the position, a new one begins`() throws {
    let newest = bases[bases.count - 1]
    for cut in [0, 10, 70] {
      var files = expected
      files[sidecarFile(newest)] = []
      files[segmentFile(newest)]?.removeLast(expected[segmentFile(newest), default: []].count - cut)
      let wholeRows = files[segmentFile(newest), default: []].count { $0 == UInt8(ascii: "\n") }
      let offset = newest + 4
      let found = try recover(files, at: position(at: offset))
      let finding = RecoveryFinding(
        path: found.table.path(segmentFile(newest)), byte: cut, what: "ends here",
        outcome: .rowsMissing(newest + wholeRows..<offset))
      #expect(found.findings == [finding])
      let after = try found.table.files(damaged: true)
      #expect(after[segmentFile(newest)] == files[segmentFile(newest)], "it stays as it is")
      #expect(after[segmentFile(offset)] == Array(source.rows[offset...].joined().utf8))
      #expect(try found.table.rows(from: offset) == Array(source.rows[offset...]))
    }
  }

  @Test func `In place of a segment that is missing before later ones, a new one leads to these`() throws {
    let base = bases[1]
    let files = expected.filter { $0.key != segmentFile(base) && $0.key != sidecarFile(base) }
    let found = try recover(files, at: position(at: base + 3))
    #expect(found.findings.map(\.outcome) == [.rowsMissing(base..<base + 3)])
    #expect(found.findings.map(\.path) == [found.table.path(segmentFile(base))])
    #expect(try found.table.rows(from: base + 3) == Array(source.rows[(base + 3)...]))
    for (name, bytes) in files { #expect(try found.table.files()[name] == bytes) }
  }

  @Test func `A folder that is gone begins with the rows that can be made`() throws {
    let found = try recover([:], at: position(at: 30))
    #expect(
      found.findings.map(\.description) == [
        "\(found.table.path(segmentFile(position(at: 30).baseOffset))), byte 0: not there; "
          + "the rows 0 to 29 are missing"
      ])
    #expect(try found.table.rows(from: 30) == Array(source.rows[30...]))
    #expect(try TableReader(fileSystem: found.table.memory, directory: "/table").firstOffset() == 30)
  }

  @Test func `A segment that was to begin at the position is begun`() throws {
    let newest = bases[bases.count - 1]
    let files = expected.filter { $0.key != segmentFile(newest) && $0.key != sidecarFile(newest) }
    let found = try recover(files, at: TablePosition(baseOffset: newest, byte: 0, offset: newest))
    #expect(found.findings == [])
    #expect(try found.table.files(damaged: true) == expected)
  }

  @Test func `A segment that was moved away since the position was taken is told, and not made anew`() throws
  {
    let files = expected.filter { $0.key != segmentFile(0) && $0.key != sidecarFile(0) }
    let found = try recover(files, at: position(at: 5))
    #expect(found.findings.map(\.outcome) == [.rowsMissing(0..<bases[1])])
    #expect(try found.table.files(damaged: true) == files)
  }

  // MARK: Stops while a segment is replaced

  @Test func `Stopped at any change while a segment is set aside, the next start ends it`() throws {
    let name = segmentFile(bases[1])
    var files = expected
    files[name]?[40] ^= 1
    var changes = 0
    var wasStopped = true
    while wasStopped {
      let table = try MemoryTable(files)
      let first = try table.writer(source, at: .start)
      table.disk.stop(afterChanges: changes)
      var random = SeededRandom(seed: 3)
      do {
        try source.feed(first, 0, 40, &random)
        wasStopped = false
      } catch is StorageError {}
      table.disk.stop(afterChanges: .max)
      let second = try table.writer(source, at: .start)
      try source.feed(second, 0, 40, &random)
      try second.close()
      let after = try table.files(damaged: true)
      #expect(after[damagedFile(bases[1])] == files[name], "after \(changes) changes")
      #expect(try table.files() == expected, "after \(changes) changes")
      #expect(try table.problems() == [])
      changes += 1
    }
    #expect(changes > 12, "it was stopped at every change")
  }

  @Test func `Each step of setting a segment aside is durable before the next`() throws {
    let base = bases[1]
    var files = expected
    files[segmentFile(base)]?[40] ^= 1
    let table = try MemoryTable(files)
    let writer = try table.writer(source, at: .start)
    try writer.append(Array(source.rows[..<base]))
    _ = table.disk.takeChanges()
    try writer.append(Array(source.rows[base..<(base + 3)]))
    let replacement = ".\(segmentFile(base)).tmp"
    let newSidecar = ".\(sidecarFile(base)).tmp"
    #expect(
      table.disk.takeChanges().prefix(17) == [
        "create \(replacement)", "cut \(replacement) 0", "write \(replacement) 40", "sync \(replacement)",
        "sync folder",
        "rename \(segmentFile(base)) to \(damagedFile(base))", "sync folder",
        "rename \(replacement) to \(segmentFile(base))", "sync folder",
        "rename \(sidecarFile(base)) to \(damagedSidecar(base))", "sync folder",
        "create \(newSidecar)", "cut \(newSidecar) 0", "write \(newSidecar) 21", "sync \(newSidecar)",
        "rename \(newSidecar) to \(sidecarFile(base))", "sync folder",
      ])
  }
}
