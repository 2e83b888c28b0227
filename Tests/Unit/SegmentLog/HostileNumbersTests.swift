// Names and checksum lines with numbers that no writer wrote. Whoever looks at the table tells what is wrong, or takes
// the file for none of the table's: nobody traps, which here would end the tests.

import SegmentLog
import Storage
import TestSupport
import Testing

@Suite struct HostileNumbersTests {
  private static let bounds = [
    0, 1, 2, 40, numberLimit - 1, numberLimit, numberLimit + 1, 1 << 62, Int.max - 7, Int.max - 1, Int.max,
  ]

  private let original: [String: [UInt8]]
  private let source = RowSource(rows: (0..<40).map(row), segmentBytes: 500)

  init() throws { original = try source.undisturbedFiles() }

  /// Everything that is ever done with a table. Errors are fine.
  private func use(_ files: [String: [UInt8]]) throws -> TableReport {
    let report = try verifyTable(fileSystem: try MemoryTable(files).memory, directory: "/table")
    for offset in [0, 1, 39, 40, numberLimit, Int.max] {
      _ = try? MemoryTable(files).rows(from: offset)
    }
    let reader = TableReader(fileSystem: try MemoryTable(files).memory, directory: "/table")
    _ = try? reader.endOffset()
    _ = try? drain(try reader.rows(last: Int.max))
    if let writer = try? MemoryTable(files).writer(source) {
      try? writer.append([row(7), row(8)])
      try? writer.roll()
      try? writer.append([row(9)])
    }
    for position in [TablePosition.start, TablePosition(baseOffset: 0, byte: 10, offset: 1)] {
      guard let writer = try? MemoryTable(files).writer(source, at: position) else { continue }
      try? writer.append(source.rows)
      _ = try? writer.endCatchUp()
      try? writer.roll()
      try? writer.append([row(9)])
    }
    return report
  }

  @Test(arguments: bounds)
  func `A file with any number for its name harms nobody`(number: Int) throws {
    for bytes in [[], Array("{}\n".utf8), Array("torn".utf8)] {
      for name in [segmentFile(number), sidecarFile(number), ".\(segmentFile(number)).tmp"] {
        var files = original
        files[name] = bytes
        _ = try use(files)
        _ = try use([name: bytes])
      }
    }
  }

  @Test func `A file whose number no row can have is no segment`() throws {
    var files = original
    files[segmentFile(Int.max)] = Array("{}\n".utf8)
    #expect(try use(files).problems == [])
    #expect(try MemoryTable(files).rows() == source.rows)
  }

  @Test(arguments: bounds + [-1, -40, Int.min])
  func `A checksum line with any number harms nobody, and is told`(number: Int) throws {
    let newest = try #require(original.keys.filter { $0.hasSuffix(".checksums") }.max())
    for line in [
      "\(number) 40 0123456789abcdef", "40 \(number) 0123456789abcdef",
      "\(number) \(number) 0123456789abcdef",
    ] {
      for end in ["", "sealed\n"] {
        for name in [newest, sidecarFile(0)] {
          var files = original
          files[name] = Array("stepgate-checksums 1\n\(line)\n\(end)".utf8)
          let problems = try use(files).problems
          #expect(problems.contains { $0.path.contains(name.dropFirst().prefix(20)) }, "\(line) in \(name)")
        }
      }
    }
  }

  @Test func `A checksum line of more rows than bytes is told by its path and byte`() throws {
    var files = original
    let text = "stepgate-checksums 1\n20 21 0123456789abcdef\n"
    files[sidecarFile(0)] = Array(text.utf8)
    #expect(
      try use(files).problems.first?.description
        == "/table/\(sidecarFile(0)), byte 21: a block of more rows than bytes")
  }

  @Test func `Names and lines of random numbers harm nobody`() throws {
    var random = SeededRandom(seed: 12)
    for _ in 0..<200 {
      var files = original
      let number = { Int.random(in: 0...Int.max, using: &random) >> Int.random(in: 0..<63, using: &random) }
      for _ in 0..<3 {
        files[segmentFile(number())] = Array("{}\n".utf8)
        let name = files.keys.randomElement(using: &random) ?? segmentFile(0)
        let base = name.filter(\.isNumber).prefix(20)
        files[".\(base).checksums"] = Array(
          "stepgate-checksums 1\n\(number()) \(number()) 0123456789abcdef\n\(number()) 9 0123456789abcdef\n"
            .utf8)
      }
      _ = try use(files)
    }
  }
}
