// A table with several segments, and what a writer makes of it once it is damaged.

import SegmentLog
import Storage
import TestSupport
import Testing

func damagedFile(_ base: Int) -> String { ".\(segmentFile(base)).damaged" }
func damagedSidecar(_ base: Int) -> String { "\(sidecarFile(base)).damaged" }

/// A table's rows and files before any damage.
struct OriginalTable {
  /// Segments from rows 0, 12, 20 and others; the newest one is not sealed.
  let source = RowSource(rows: (0..<40).map(row), rolls: [20], segmentBytes: 500)
  let files: [String: [UInt8]]
  let bases: [Int]

  init() throws {
    files = try source.undisturbedFiles()
    bases = files.keys.filter { $0.hasPrefix("0") }.compactMap { Int($0.dropLast(7)) }.sorted()
  }

  struct Recovered {
    let table: MemoryTable
    let findings: [RecoveryFinding]
    let unexplained: Int
  }

  /// Feeds rows from `position` on to a table with these files, closes it, and checks what always holds.
  func recover(
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

  func position(at offset: Int) -> TablePosition {
    let base = bases.last { $0 <= offset } ?? 0
    return TablePosition(
      baseOffset: base, byte: source.bytes(before: offset) - source.bytes(before: base), offset: offset)
  }
}
