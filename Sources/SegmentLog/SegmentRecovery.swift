// Reopening the newest segment of a table: how far is it good, and what does the writer go on from?
//
// Two cases, told apart by the last checksum line. Up to it the bytes were on stable storage, so anything
// else there is damage and an error. Past it they were only written: whole rows are kept, and a torn last
// row is cut off. Only the last block is verified here; `verifyTable` does all of them.

import Storage

/// What was found on opening a table.
public struct OpenReport: Equatable, Sendable {
  /// The offset of the next row.
  public internal(set) var endOffset: Int
  /// Rows that no checksum line covered, in whole rows; 0 after a clean stop.
  public internal(set) var uncheckedRows = 0
  /// The segment from which a torn last row was cut, the byte at which it began, and its length.
  public internal(set) var tornRow: TornRow?

  public struct TornRow: Equatable, Sendable {
    public let path: String
    public let byte: Int
    public let bytes: Int
  }
}

/// The newest segment, ready to be written on.
struct RecoveredSegment {
  let segment: ActiveSegment
  let isSealed: Bool
  let report: OpenReport
}

/// The beginning of a new table.
func createFirstSegment(
  _ fileSystem: any FileSystem, _ directory: String
) throws(StorageError) -> RecoveredSegment {
  let segment = try ActiveSegment(creating: 0, fileSystem, directory)
  return RecoveredSegment(segment: segment, isSealed: false, report: OpenReport(endOffset: 0))
}

func recoverSegment(
  _ baseOffset: Int, _ fileSystem: any FileSystem, _ directory: String
) throws(SegmentLogError) -> RecoveredSegment {
  let path = "\(directory)/\(segmentName(baseOffset))"
  let sidecar = try Sidecar.read(fileSystem, directory, baseOffset: baseOffset)
  let data = try storage { () throws(StorageError) in try fileSystem.openForAppending(path) }
  let lines = sidecar?.lines ?? []
  try verifyLastBlock(lines, data)

  var blocks = ChecksumBlocks(
    endByte: lines.last?.endByte ?? 0, endOffset: lines.last?.endOffset ?? baseOffset)
  let checkedOffset = blocks.endOffset
  let size = try storage { () throws(StorageError) in try data.size() }
  if sidecar?.isSealed == true && size != blocks.endByte {
    throw .corrupt(path: path, byte: blocks.endByte, what: "bytes after the end of a sealed segment")
  }
  try storage { () throws(StorageError) in try addWholeRows(of: data, to: &blocks) }

  var report = OpenReport(endOffset: blocks.endOffset, uncheckedRows: blocks.endOffset - checkedOffset)
  if size > blocks.endByte {
    report.tornRow = .init(path: path, byte: blocks.endByte, bytes: size - blocks.endByte)
    let end = blocks.endByte
    try storage { () throws(StorageError) in try data.truncate(to: end) }
  }
  let wholeBytes = sidecar?.wholeBytes ?? 0
  let sidecarFile = try storage { () throws(StorageError) in
    let file = try fileSystem.openForAppending("\(directory)/\(sidecarName(baseOffset))")
    if try file.size() > wholeBytes { try file.truncate(to: wholeBytes) }
    return file
  }
  let segment = ActiveSegment(
    baseOffset: baseOffset, fileSystem, directory, data: data, sidecar: sidecarFile, blocks: blocks,
    sidecarIsNew: wholeBytes == 0)
  return RecoveredSegment(segment: segment, isSealed: sidecar?.isSealed ?? false, report: report)
}

/// Checks that the file reaches as far as its checksum lines say, and that the last of them holds.
private func verifyLastBlock(_ lines: [ChecksumLine], _ data: any File) throws(SegmentLogError) {
  guard let last = lines.last else { return }
  let size = try storage { () throws(StorageError) in try data.size() }
  guard size >= last.endByte else {
    throw .corrupt(path: data.path, byte: size, what: "ends here, but has checksums to byte \(last.endByte)")
  }
  let start = lines.dropLast().last?.endByte ?? 0
  let found = try storage { () throws(StorageError) in try checksum(of: data, start..<last.endByte) }
  guard found.checksum == last.checksum else {
    throw .corrupt(
      path: data.path, byte: start, what: "the checksum of the bytes to \(last.endByte) does not match")
  }
}

/// Adds the whole rows that follow `blocks.endByte`.
private func addWholeRows(of data: any File, to blocks: inout ChecksumBlocks) throws(StorageError) {
  let chunks = RowChunkReader(data)
  while let rows = try chunks.wholeRows(at: blocks.endByte) {
    blocks.add(rows, rowCount: rows.rowCount)
  }
}

/// Checksums are written only once their segment's name is durable. So checksums behind the newest
/// segment tell of one that was taken away, whose rows must not be numbered anew.
func refuseOrphanedChecksums(
  _ names: [String], after newest: Int, _ fileSystem: any FileSystem, _ directory: String
) throws(SegmentLogError) {
  for name in names {
    guard let base = baseOffset(ofSidecar: name), base > newest else { continue }
    let path = "\(directory)/\(name)"
    let size = try storage { () throws(StorageError) in try fileSystem.openForReading(path).size() }
    if size > 0 { throw .corrupt(path: path, byte: 0, what: "checksums of a segment that is not there") }
  }
}
