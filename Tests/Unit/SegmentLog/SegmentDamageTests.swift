import SegmentLog
import Storage
import TestSupport
import Testing

/// Rows are fed once more to a table with damage: what was never synced is cut, all else is set aside, and
/// the table ends up as it was.
@Suite struct SegmentDamageTests {
  private let original: OriginalTable

  init() throws { original = try OriginalTable() }

  // MARK: Segments

  @Test func `Bytes that never were durable are cut where they first differ`() throws {
    let newest = original.bases[original.bases.count - 1]
    var unsynced = original.files
    unsynced[sidecarFile(newest)] = []
    let length = original.files[segmentFile(newest), default: []].count
    for byte in 0..<length {
      var files = unsynced
      files[segmentFile(newest)]?[byte] ^= 1
      files[segmentFile(newest)]?.append(contentsOf: [0, 0, 10, 0])
      for resumed in [TablePosition.start, original.position(at: newest)] {
        let found = try original.recover(files, at: resumed)
        #expect(found.findings.map(\.outcome) == [.cut(bytes: length + 4 - byte)])
        #expect(found.findings.map(\.byte) == [byte])
        #expect(found.findings.map(\.path) == [found.table.path(segmentFile(newest))])
        #expect(try found.table.files(damaged: true) == original.files, "byte \(byte)")
      }
    }
  }

  @Test func `Bytes behind the last row are cut if they never were durable`() throws {
    let newest = original.bases[original.bases.count - 1]
    var files = original.files
    files[segmentFile(newest)]?.append(contentsOf: [0, 0])
    let found = try original.recover(files)
    #expect(found.findings.map(\.outcome) == [.cut(bytes: 2)])
    #expect(try found.table.files(damaged: true) == original.files)
  }

  @Test func `Any byte that differs in a segment that was durable sets it aside, and the rows are made good`()
    throws
  {
    for base in original.bases {
      let name = segmentFile(base)
      for byte in original.files[name, default: []].indices {
        var files = original.files
        files[name]?[byte] ^= 0x10
        let found = try original.recover(files)
        let path = found.table.path(name)
        #expect(
          found.findings.map(\.description) == [
            "\(path), byte \(byte): differs from the row that belongs here; "
              + "set aside as \(found.table.path(damagedFile(base)))"
          ])
        let after = try found.table.files(damaged: true)
        #expect(after[damagedFile(base)] == files[name], "the damaged bytes are kept")
        #expect(after[damagedSidecar(base)] == original.files[sidecarFile(base)])
        #expect(try found.table.files() == original.files, "segment \(base), byte \(byte)")
        #expect(found.unexplained == 0)
        #expect(try found.table.rows() == original.source.rows)
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
    var files = original.files
    for count in 1...3 {
      files[segmentFile(0)]?[count] ^= 1
      let found = try original.recover(files)
      let numbered = try found.table.files(damaged: true).filter { $0.key.hasPrefix(damagedFile(0)) }
      #expect(numbered.count == count)
      files = try found.table.files(damaged: true)
    }
    #expect(files["\(damagedFile(0)).2"] != nil && files["\(damagedSidecar(0)).2"] != nil)
  }

  @Test func `Bytes behind the end of a sealed segment set it aside`() throws {
    var cases = [original.files]
    // One that others follow, and one whose successor was not created yet.
    cases.append(original.files.filter { !$0.key.contains(String(original.bases[original.bases.count - 1])) })
    for (var files, base) in zip(cases, [original.bases[1], original.bases[original.bases.count - 2]]) {
      files[segmentFile(base)]?.append(contentsOf: Array("{\"more\":1}\n".utf8))
      let found = try original.recover(files)
      #expect(found.findings.map(\.byte) == [original.files[segmentFile(base), default: []].count])
      #expect(found.findings.map(\.what) == ["goes on behind the segment's last row"])
      #expect(try found.table.files(damaged: true)[damagedFile(base)] == files[segmentFile(base)])
      #expect(try found.table.files() == original.files)
    }
  }

  @Test func `A segment that holds rows of the next one, too, is set aside`() throws {
    var files = original.files
    files[sidecarFile(original.bases[1])] = nil
    files[segmentFile(original.bases[1])]?.append(
      contentsOf: Array(original.source.rows[original.bases[2]].utf8))
    let found = try original.recover(files)
    #expect(found.findings.map(\.what) == ["goes on behind the segment's last row"])
    #expect(try found.table.files() == original.files)
    #expect(try found.table.rows() == original.source.rows)
  }

  @Test func `A segment that ends too early is completed`() throws {
    for base in original.bases {
      let length = original.files[segmentFile(base), default: []].count
      for cut in 0..<length {
        var files = original.files
        files[segmentFile(base)]?.removeLast(length - cut)
        let found = try original.recover(files)
        #expect(
          found.findings.first
            == RecoveryFinding(
              path: found.table.path(segmentFile(base)), byte: cut,
              what: "ends here, but has checksums to byte \(length)",
              outcome: .setAside(path: found.table.path(damagedSidecar(base)))))
        #expect(try found.table.files() == original.files, "segment \(base), cut to \(cut)")
        #expect(try !found.table.files(damaged: true).keys.contains(damagedFile(base)))
      }
    }
  }

  @Test func `A segment without checksums that ends too early is completed`() throws {
    let base = original.bases[1]
    var files = original.files
    files[sidecarFile(base)] = nil
    files[segmentFile(base)]?.removeLast(70)
    let found = try original.recover(files)
    let finding = RecoveryFinding(
      path: found.table.path(segmentFile(base)), byte: files[segmentFile(base), default: []].count,
      what: "ends here, but the next segment begins with row \(original.bases[2])", outcome: .writtenAgain)
    #expect(found.findings == [finding])
    #expect(try found.table.files(damaged: true) == original.files)
  }

  @Test(arguments: [true, false])
  func `A segment that is missing is made once more`(withItsChecksums: Bool) throws {
    for base in original.bases.dropFirst() {
      let files = original.files.filter {
        $0.key != segmentFile(base) && (withItsChecksums || $0.key != sidecarFile(base))
      }
      let found = try original.recover(files)
      let isNewest = base == original.bases.last
      #expect(found.findings.isEmpty == (isNewest && !withItsChecksums))
      #expect(found.findings.allSatisfy { $0.path.contains(String(base)) })
      #expect(try found.table.files() == original.files)
    }
  }

  // MARK: Checksums

  @Test
  func `Any byte that differs in a checksum file leaves the rows alone, and the checksums are made good`()
    throws
  {
    for base in original.bases {
      let name = sidecarFile(base)
      let bytes = original.files[name, default: []]
      for byte in bytes.indices {
        for bit: UInt8 in [1, 0x10] {
          var files = original.files
          files[name]?[byte] ^= bit
          let found = try original.recover(files)
          let comment: Comment = "checksums of \(base), byte \(byte), bit \(bit)"
          #expect(try found.table.files() == original.files, comment)
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

  // MARK: Stops while a segment is replaced

  @Test func `Stopped at any change while a segment is set aside, the next start ends it`() throws {
    let name = segmentFile(original.bases[1])
    var files = original.files
    files[name]?[40] ^= 1
    var changes = 0
    var wasStopped = true
    while wasStopped {
      let table = try MemoryTable(files)
      let first = try table.writer(original.source, at: .start)
      table.disk.stop(afterChanges: changes)
      var random = SeededRandom(seed: 3)
      do {
        try original.source.feed(first, 0, 40, &random)
        wasStopped = false
      } catch is StorageError {}
      table.disk.stop(afterChanges: .max)
      let second = try table.writer(original.source, at: .start)
      try original.source.feed(second, 0, 40, &random)
      try second.close()
      let after = try table.files(damaged: true)
      #expect(after[damagedFile(original.bases[1])] == files[name], "after \(changes) changes")
      #expect(try table.files() == original.files, "after \(changes) changes")
      #expect(try table.problems() == [])
      changes += 1
    }
    #expect(changes > 12, "it was stopped at every change")
  }

  @Test func `Each step of setting a segment aside is durable before the next`() throws {
    let base = original.bases[1]
    var files = original.files
    files[segmentFile(base)]?[40] ^= 1
    let table = try MemoryTable(files)
    let writer = try table.writer(original.source, at: .start)
    try writer.append(Array(original.source.rows[..<base]))
    _ = table.disk.takeChanges()
    try writer.append(Array(original.source.rows[base..<(base + 3)]))
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
