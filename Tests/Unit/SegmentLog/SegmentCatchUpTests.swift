import SegmentLog
import Storage
import TestSupport
import Testing

/// Rows are fed once more to a table that is as a killed process left it: nothing is damaged.
@Suite struct SegmentCatchUpTests {
  private let source = RowSource(rows: (0..<60).map(row), rolls: [7, 31, 44], segmentBytes: 700)

  /// Writes rows up to `end` and leaves the writer there; gives the files and the positions after batches.
  private func crash(
    _ source: RowSource, at end: Int, _ random: inout SeededRandom
  ) throws -> (files: [String: [UInt8]], positions: [TablePosition]) {
    let table = MemoryTable()
    let writer = try table.writer(source)
    var positions = [TablePosition.start]
    try source.feed(writer, 0, end, &random) { random in
      if random.oneIn(3) { try writer.sync() }
      positions.append(writer.position)
    }
    return (try table.files(), positions)
  }

  /// Resumes at `position`, feeds all rows, and compares all files with those of an undisturbed writer.
  private func expectUndisturbed(
    _ source: RowSource, _ files: [String: [UInt8]], _ position: TablePosition,
    _ expected: [String: [UInt8]], _ random: inout SeededRandom, _ comment: Comment
  ) throws {
    let table = try MemoryTable(files)
    let writer = try table.writer(source, at: position)
    #expect(writer.position == position || position.byte > 0, comment)
    _ = table.disk.takeChanges()
    try source.feed(writer, position.offset, source.rows.count, &random)
    #expect(!writer.isCatchingUp, comment)
    try writer.close()
    let found = try table.files()
    #expect(found.keys.sorted() == expected.keys.sorted(), comment)
    for (name, bytes) in expected where found[name] != bytes {
      Issue.record("\(name) is not as it was: \(comment)")
    }
    #expect(writer.takeFindings() == [], comment)
    let changes = table.disk.takeChanges()
    #expect(!changes.contains { $0.hasPrefix("cut") || $0.contains(".damaged") }, comment)
    let written = changes.filter { $0.hasPrefix("write 0") }.compactMap { Int($0.split(separator: " ")[2]) }
    let dataBytes = { (files: [String: [UInt8]]) in
      files.filter { $0.key.hasPrefix("0") }.values.reduce(0) { $0 + $1.count }
    }
    #expect(
      written.reduce(0, +) == dataBytes(expected) - dataBytes(files), "only what was missing: \(comment)")
    #expect(try table.linkTarget() == expected.keys.filter { $0.hasPrefix("0") }.max(), comment)
  }

  @Test func `Killed at any byte, a table ends up as if nothing had happened`() throws {
    let seed = testSeed()
    var random = SeededRandom(seed: seed)
    let expected = try source.undisturbedFiles()
    for end in [5, 42, 57] {
      let crashed = try crash(source, at: end, &random)
      let newest = crashed.files.filter { $0.key.hasPrefix("0") }.max { $0.key < $1.key }
      for length in 0...(newest?.value.count ?? 0) {
        let files = cutNewest(crashed.files, to: length)
        let durable = crashed.positions.filter {
          segmentFile($0.baseOffset) != newest?.key || $0.byte <= length
        }
        for position in [.start, random.pick(durable), durable[durable.count - 1]] {
          try expectUndisturbed(
            source, files, position, expected, &random,
            "\(end) rows, cut to \(length), from \(position), seed \(seed)")
        }
      }
    }
  }

  @Test(arguments: 0..<6)
  func `Killed among blocks of checksums, a table ends up as if nothing had happened`(_: Int) throws {
    let seed = testSeed()
    var random = SeededRandom(seed: seed)
    let rows = (0..<60).map { number in
      "{\"row\":\(number),\"pad\":\"" + String(repeating: "y", count: .random(in: 0...30_000, using: &random))
        + "\"}\n"
    }
    let source = RowSource(rows: rows, rolls: [.random(in: 1...59, using: &random)], segmentBytes: 300_000)
    let expected = try source.undisturbedFiles()
    for _ in 0..<40 {
      let crashed = try crash(source, at: .random(in: 1...60, using: &random), &random)
      let newest = crashed.files.filter { $0.key.hasPrefix("0") }.max { $0.key < $1.key }
      let length = Int.random(in: 0...(newest?.value.count ?? 0), using: &random)
      let durable = crashed.positions.filter {
        segmentFile($0.baseOffset) != newest?.key || $0.byte <= length
      }
      try expectUndisturbed(
        source, cutNewest(crashed.files, to: length), random.pick(durable), expected, &random,
        "cut to \(length), seed \(seed)")
    }
  }

  @Test func `Stopped and started again and again while it catches up, a table ends up the same`() throws {
    let seed = testSeed()
    var random = SeededRandom(seed: seed)
    let expected = try source.undisturbedFiles()
    let table = MemoryTable()
    for _ in 0..<60 {
      let writer = try table.writer(source, at: .start)
      let end = Int.random(in: 1...60, using: &random)
      try source.feed(writer, 0, end, &random)
      if random.oneIn(2), writer.isCatchingUp { try writer.close() }
      #expect(writer.takeFindings() == [])
    }
    let writer = try table.writer(source, at: .start)
    try source.feed(writer, 0, 60, &random)
    try writer.close()
    #expect(try table.files() == expected, "seed \(seed)")
    #expect(try table.problems() == [])
  }

  @Test func `Segments end where they did, whatever their length is to be now`() throws {
    var random = SeededRandom(seed: 1)
    let files = try source.undisturbedFiles()
    for segmentBytes in [1, 100, 1 << 20] {
      let table = try MemoryTable(files)
      var other = source
      other.segmentBytes = segmentBytes
      other.rolls = Set(0..<59)
      let writer = try table.writer(other, at: .start)
      try other.feed(writer, 0, 59, &random)
      #expect(try table.files() == files)
      #expect(writer.isCatchingUp)
    }
  }

  @Test func `At the end of all that is there, rolling is rolling, and an empty segment stays`() throws {
    let rows = RowSource(rows: (0..<4).map(row))
    let table = MemoryTable()
    try table.writer(rows).append(Array(rows.rows[..<2]))
    let writer = try table.writer(rows, at: .start)
    try writer.append([row(0)])
    try writer.roll()
    #expect(writer.isCatchingUp)
    #expect(writer.position == TablePosition(baseOffset: 0, byte: row(0).utf8.count, offset: 1))
    try writer.append([row(1)])
    #expect(!writer.isCatchingUp)
    try writer.roll()
    #expect(writer.position == TablePosition(baseOffset: 2, byte: 0, offset: 2))
    let again = try table.writer(rows, at: .start)
    try again.append([row(0), row(1)])
    #expect(!again.isCatchingUp && again.position == writer.position)
    try again.roll()
    #expect(try table.files().keys.filter { $0.hasPrefix("0") }.sorted() == [segmentFile(0), segmentFile(2)])
  }

  @Test func `A sealed segment that none follows is followed by a new one`() throws {
    let rows = RowSource(rows: ["0123456789\n", "next\n"], segmentBytes: 10)
    let table = MemoryTable()
    try table.writer(rows).append([rows.rows[0]])
    try table.memory.remove(table.path(segmentFile(1)))
    try table.memory.remove(table.path(sidecarFile(1)))
    let writer = try table.writer(rows, at: .start)
    try writer.append([rows.rows[0]])
    #expect(writer.position == TablePosition(baseOffset: 1, byte: 0, offset: 1))
    let atEnd = try table.writer(rows, at: TablePosition(baseOffset: 0, byte: 11, offset: 1))
    #expect(atEnd.position == writer.position && !atEnd.isCatchingUp)
    #expect(try table.linkTarget() == segmentFile(1))
  }

  // Found by simulation: the sync that sealed a segment failed, the process that followed read the mark and took it for
  // durable, and after a power loss it was gone.
  @Test func `The mark of a sealed segment is made durable before the next one is entered`() throws {
    let rows = RowSource(rows: ["0123456789\n", "next\n"], segmentBytes: 10)
    let table = MemoryTable()
    try table.writer(rows).append(rows.rows)
    let syncs = ["sync \(segmentFile(0))", "sync folder", "sync \(sidecarFile(0))"]

    let fedAgain = try table.writer(rows, at: .start)
    _ = table.disk.takeChanges()
    try fedAgain.append([rows.rows[0]])
    #expect(table.disk.takeChanges().prefix(3) == syncs[...])

    try table.memory.remove(table.path(segmentFile(1)))
    try table.memory.remove(table.path(sidecarFile(1)))
    _ = try table.writer(rows)
    #expect(table.disk.takeChanges().prefix(3) == syncs[...], "also when the table is opened at its end")
  }

  @Test func `Until all that is there is used up, the position is that of the rows given`() throws {
    let table = try MemoryTable(try source.undisturbedFiles())
    let writer = try table.writer(source, at: .start)
    #expect(writer.isCatchingUp && writer.endOffset == 0 && writer.position == .start)
    try writer.append(Array(source.rows[..<5]))
    #expect(writer.isCatchingUp && writer.endOffset == 5)
    #expect(writer.position == TablePosition(baseOffset: 0, byte: source.bytes(before: 5), offset: 5))
    try writer.append(Array(source.rows[5..<7]))
    #expect(writer.position == TablePosition(baseOffset: 7, byte: 0, offset: 7), "the next segment")
    #expect(try table.linkTarget() == table.files().keys.filter { $0.hasPrefix("0") }.max())
    try writer.append(Array(source.rows[7...]))
    #expect(!writer.isCatchingUp && writer.endOffset == 60)
  }

  @Test func `A checksum file torn at any byte is completed`() throws {
    var random = SeededRandom(seed: 1)
    let rows = RowSource(rows: (0..<4000).map(row))
    let expected = try rows.undisturbedFiles()
    let whole = expected[sidecarFile(0), default: []]
    for length in 0..<whole.count {
      var files = expected
      files[sidecarFile(0)] = Array(whole[..<length])
      let table = try MemoryTable(files)
      let middle = TablePosition(baseOffset: 0, byte: rows.bytes(before: 2500), offset: 2500)
      for position in [TablePosition.start, middle] {
        let writer = try table.writer(rows, at: position)
        try rows.feed(writer, position.offset, 4000, &random)
        try writer.close()
        #expect(writer.takeFindings() == [])
        #expect(try table.files() == expected, "cut to \(length), from \(position.offset)")
      }
    }
  }

  @Test func `A checksum file that is not there is made once more`() throws {
    var random = SeededRandom(seed: 1)
    let expected = try source.undisturbedFiles()
    let table = try MemoryTable(expected.filter { !$0.key.hasSuffix(".checksums") })
    let writer = try table.writer(source, at: .start)
    try source.feed(writer, 0, 60, &random)
    try writer.close()
    #expect(try table.files() == expected)
  }

  @Test func `Blocks that a clean stop has ended stay as they are`() throws {
    var random = SeededRandom(seed: 1)
    let rows = RowSource(rows: (0..<4000).map(row))
    let table = MemoryTable()
    for (first, end) in [(0, 1000), (1000, 1001), (1001, 3500)] {
      let writer = try table.writer(rows)
      try rows.feed(writer, first, end, &random)
      try writer.close()
    }
    let lines = try table.memory.readFile(table.path(sidecarFile(0)))
    for first in [0, 999, 1000, 1001, 3499, 3500] {
      let writer = try table.writer(
        rows, at: TablePosition(baseOffset: 0, byte: rows.bytes(before: first), offset: first))
      try writer.append(Array(rows.rows[first...]))
      try writer.sync()
      #expect(try table.memory.readFile(table.path(sidecarFile(0))).starts(with: lines))
      #expect(try table.problems() == [])
    }
  }

  @Test func `Told that rows are durable, the writer adds the lines of the blocks before, and no sync`()
    throws
  {
    let rows = RowSource(rows: (0..<8000).map(row))
    let table = MemoryTable()
    let writer = try table.writer(rows, at: .start)
    try writer.append(Array(rows.rows[..<4000]))
    let position = writer.position
    try writer.append(Array(rows.rows[4000...]))
    _ = table.disk.takeChanges()
    try writer.rowsAreDurable(to: TablePosition(baseOffset: 7, byte: 1 << 30, offset: 9))
    #expect(table.disk.takeChanges() == [], "not the active segment")
    try writer.rowsAreDurable(to: position)
    let changes = table.disk.takeChanges()
    #expect(changes.count == 1 && changes[0].hasPrefix("write \(sidecarFile(0))"))
    let text = try table.memory.text(table.path(sidecarFile(0)))
    let ends = text.split(separator: "\n").dropFirst().compactMap { Int($0.prefix { $0 != " " }) }
    #expect(ends.count == position.byte / 65_600 && ends.count > 1)
    #expect(ends.allSatisfy { $0 <= position.byte })
    try writer.rowsAreDurable(to: position)
    #expect(table.disk.takeChanges() == [], "once")
    try writer.close()
    #expect(try table.files() == rows.undisturbedFiles())
    #expect(table.disk.takeChanges().last == "sync \(sidecarFile(0))")
  }

  @Test func `Rows of segments that were moved away are dropped until the first that is left`() throws {
    var random = SeededRandom(seed: 1)
    let expected = try source.undisturbedFiles()
    for leavesSidecars in [true, false] {
      let left = expected.filter { name, _ in
        name != segmentFile(0) && name != segmentFile(7)
          && (leavesSidecars || name != sidecarFile(0) && name != sidecarFile(7))
      }
      let table = try MemoryTable(left)
      let first = left.keys.compactMap { $0.hasPrefix("0") ? Int($0.dropLast(7)) : nil }.min() ?? 0
      let writer = try table.writer(source, at: .start)
      try writer.append(Array(source.rows[..<3]))
      #expect(writer.isCatchingUp && writer.endOffset == 3)
      let position = writer.position
      #expect(position == TablePosition(baseOffset: first, byte: 0, offset: 3), "a segment that is there")
      let resumed = try table.writer(source, at: position)
      try source.feed(resumed, 3, 60, &random)
      #expect(!resumed.isCatchingUp && resumed.endOffset == 60)
      try resumed.close()
      #expect(try table.files() == left)
      #expect(writer.takeFindings() == [] && resumed.takeFindings() == [])
    }
  }

  @Test func `Rows that are there and are not given once more stay, and keep their numbers`() throws {
    let expected = try source.undisturbedFiles()
    for given in [0, 1, 6, 7, 8, 30, 31, 59, 60] {
      let table = try MemoryTable(expected)
      let writer = try table.writer(source, at: .start)
      if given > 0 { try writer.append(Array(source.rows[..<given])) }
      #expect(try writer.endCatchUp() == 60 - given)
      #expect(!writer.isCatchingUp && writer.endOffset == 60 && writer.takeFindings() == [])
      #expect(try writer.endCatchUp() == 0)
      try writer.append([row(60)])
      try writer.close()
      #expect(try table.rows() == (0...60).map(row))
      #expect(try table.problems() == [])
    }
  }

  @Test func `A torn row that is not given once more is cut off at the end of catching up`() throws {
    let rows = RowSource(rows: (0..<5).map(row))
    var files = try rows.undisturbedFiles()
    files[sidecarFile(0)] = []
    let wholeBytes = files[segmentFile(0), default: []].count
    files[segmentFile(0)]?.append(contentsOf: Array("{\"to".utf8))
    let table = try MemoryTable(files)
    let writer = try table.writer(rows, at: .start)
    try writer.append([row(0)])
    #expect(try writer.endCatchUp() == 4)
    let findings = writer.takeFindings()
    #expect(findings.map(\.outcome) == [.cut(bytes: 4)])
    #expect(findings.map(\.byte) == [wholeBytes])
    #expect(
      findings.first?.description
        == "/table/\(segmentFile(0)), byte \(wholeBytes): a torn last row; 4 bytes cut")
    try writer.append([row(5)])
    try writer.close()
    #expect(try table.rows() == (0...5).map(row))
    #expect(try table.problems() == [])
  }

  @Test func `A writer that fails while it catches up fails for good`() throws {
    var files = try source.undisturbedFiles()
    files[segmentFile(0)]?.removeLast(3)
    let table = try MemoryTable(files)
    let writer = try table.writer(source, at: .start)
    table.disk.stop(afterChanges: 0)
    #expect(throws: StorageError.self) { try writer.append(Array(source.rows[..<7])) }
    table.disk.stop(afterChanges: .max)
    #expect(throws: StorageError.self) { try writer.append([row(7)]) }
    #expect(throws: StorageError.self) { try writer.endCatchUp() }
    #expect(throws: StorageError.self) { try writer.rowsAreDurable(to: .start) }
    #expect(throws: StorageError.self) { try writer.close() }
  }
}
