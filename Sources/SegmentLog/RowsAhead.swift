// Where the rows that are fed to a table once more meet what is there.

import Storage

/// What is in a table behind the rows so far, besides the rest of the active segment.
struct RowsAhead {
  /// The later segments, ascending. The newest may be one of which only the checksums are left.
  var segments: [Int] = []
  /// Rows to come that belong to segments which were moved away, before the active one.
  var rowsToDrop = 0
  var findings: [RecoveryFinding] = []
}

/// A table opened at a position.
struct ResumedTable {
  let active: ActiveSegment
  let ahead: RowsAhead
  /// The newest segment that is there.
  let newestBase: Int
}

/// Opens the segment into which the row at `position` goes.
func resumeTable(
  at position: TablePosition, _ fileSystem: any FileSystem, _ directory: String
) throws(StorageError) -> ResumedTable {
  var names = try fileSystem.list(directory)
  if try finishReplacements(names, fileSystem, directory) { names = try fileSystem.list(directory) }
  let table = TableFiles(names: names, fileSystem, directory)
  let segments = try table.segments()
  var ahead = RowsAhead()
  let start = try table.start(position, among: segments, &ahead)
  let active = try ActiveSegment(resumingAt: start, fileSystem, directory, &ahead.findings)
  active.known?.isToldShort = !segments.contains(start.baseOffset)
  ahead.segments = segments.filter { $0 > start.baseOffset }
  return ResumedTable(active: active, ahead: ahead, newestBase: max(start.baseOffset, table.bases.last ?? 0))
}

private struct TableFiles {
  let names: [String]
  let fileSystem: any FileSystem
  let directory: String
  /// The segments whose files are there, ascending.
  let bases: [Int]

  init(names: [String], _ fileSystem: any FileSystem, _ directory: String) {
    self.names = names
    self.fileSystem = fileSystem
    self.directory = directory
    bases = names.compactMap(baseOffset(ofSegment:)).sorted()
  }

  /// All segments of which there is something. Checksums are written only once their segment's name is
  /// durable, so those behind the newest segment tell of one that was lost. Older ones may have been left
  /// when their segment was moved away.
  func segments() throws(StorageError) -> [Int] {
    var all = bases
    for base in names.compactMap(baseOffset(ofSidecar:)).sorted() where base > bases.last ?? -1 {
      if try fileSystem.openForReading("\(directory)/\(sidecarName(base))").size() > 0 { all.append(base) }
    }
    return all
  }

  /// Where the row at `position` goes: there, if the disk has that; else to the first segment, if that is a
  /// later one; else into a segment of its own.
  func start(
    _ position: TablePosition, among segments: [Int], _ ahead: inout RowsAhead
  ) throws(StorageError) -> TablePosition {
    let size = try size(of: position.baseOffset)
    let isThere = position.byte == 0 ? segments.contains(position.baseOffset) : size ?? -1 >= position.byte
    if isThere {
      ahead.rowsToDrop = max(0, position.baseOffset - position.offset)
      return TablePosition(
        baseOffset: position.baseOffset, byte: position.byte, offset: position.offset + ahead.rowsToDrop)
    }
    if let first = segments.first, first >= position.offset {
      if position.byte > 0 {
        report(position, size, "not there: moved away, or lost", position.baseOffset..<first, &ahead)
      }
      ahead.rowsToDrop = first - position.offset
      return TablePosition(baseOffset: first, byte: 0, offset: first)
    }
    if position != .start { try reportMissing(position, size, &ahead) }
    return TablePosition(baseOffset: position.offset, byte: 0, offset: position.offset)
  }

  /// The length of a segment's file; nil if it is not there.
  private func size(of base: Int) throws(StorageError) -> Int? {
    guard bases.contains(base) else { return nil }
    return try fileSystem.openForReading(segmentPath(directory: directory, baseOffset: base)).size()
  }

  /// Tells which rows before `position` are not there.
  private func reportMissing(
    _ position: TablePosition, _ size: Int?, _ ahead: inout RowsAhead
  ) throws(StorageError) {
    var end = 0
    if let base = bases.last(where: { $0 < position.offset }) {
      let file = try fileSystem.openForReading(segmentPath(directory: directory, baseOffset: base))
      end = base + (try checksum(of: file, 0..<file.size()).rows)
    }
    guard end < position.offset else { return }
    report(position, size, size == nil ? "not there" : "ends here", end..<position.offset, &ahead)
  }

  private func report(
    _ position: TablePosition, _ size: Int?, _ what: String, _ missing: Range<Int>, _ ahead: inout RowsAhead
  ) {
    ahead.findings.append(
      RecoveryFinding(
        path: segmentPath(directory: directory, baseOffset: position.baseOffset), byte: size ?? 0,
        what: what, outcome: .rowsMissing(missing)))
  }
}
