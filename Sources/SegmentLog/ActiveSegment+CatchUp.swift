// A segment that is there and whose rows are made once more: they are compared with its bytes, and go on
// where these end.
//
// Invariants:
// - Bytes that are there and equal are not written again; a torn last row is completed, not cut.
// - The checksum lines that are there stay, and end the blocks; those of later blocks follow them as if the
//   writer had never stopped.
// - Bytes that were on stable storage are never cut or overwritten: where they differ, the file is set aside
//   (SetAside.swift), and one with the bytes before takes its place.

import Glibc
import Storage

/// What is known of a segment that was there.
struct KnownSegment {
  /// Where the checksum file says that the segment is complete; nil if it does not.
  var sealedBytes: Int?
  /// The bytes that were on stable storage.
  let syncedBytes: Int
  /// The first byte that is compared: those before cannot be made once more.
  var firstByte: Int
  /// Whether it has been told that the segment was shorter than it should be.
  var isToldShort = false
  var comparison: FileComparison?
}

extension ActiveSegment {
  /// Opens a segment to be compared from `position` on, creating it where only its checksums are there.
  /// Its file must reach to `position.byte`.
  convenience init(
    resumingAt position: TablePosition, _ fileSystem: any FileSystem, _ directory: String,
    _ findings: inout [RecoveryFinding]
  ) throws(StorageError) {
    let base = position.baseOffset
    let written = try Sidecar.readWithFault(fileSystem, directory, baseOffset: base)
    let data = try fileSystem.openForAppending(segmentPath(directory: directory, baseOffset: base))
    let sidecar = try fileSystem.openForAppending("\(directory)/\(sidecarName(base))")
    let size = try data.size()
    let lines = (written?.lines ?? []).filter { $0.endByte <= size }
    let start = lines.last { $0.endByte <= position.byte }
    self.init(
      baseOffset: base, fileSystem, directory, data: data, sidecar: sidecar,
      blocks: ChecksumBlocks(
        endByte: start?.endByte ?? 0, endOffset: start?.endOffset ?? base,
        known: lines.drop { $0.endByte <= position.byte }),
      sidecarIsNew: (written?.wholeBytes ?? 0) == 0)
    fileBytes = size
    let durableBytes = written?.isSealed == true ? .max : written?.durableBytes ?? 0
    known = KnownSegment(
      sealedBytes: written?.isSealed == true ? lines.last?.endByte : nil,
      syncedBytes: max(position.byte, durableBytes), firstByte: position.byte,
      comparison: FileComparison(data))
    if let written { try repairSidecar(written, goodLines: lines, &findings) }
    try addBytes(to: position.byte)
    if endOffset != position.offset {
      report(
        &findings, position.byte, "row \(endOffset) follows, where row \(position.offset) should",
        .leftInPlace)
      blocks.setEndOffset(position.offset)
    }
  }

  /// Cuts a torn last line; sets the checksum file aside where it says what cannot be.
  private func repairSidecar(
    _ written: Sidecar, goodLines: [ChecksumLine], _ findings: inout [RecoveryFinding]
  ) throws(StorageError) {
    if let fault = written.fault {
      try replaceSidecar(keepingTo: goodLines.last?.endByte ?? 0, because: fault, &findings)
    } else if let last = written.lines.last, last.endByte > fileBytes {
      let newPath = try replaceSidecar(keepingTo: fileBytes)
      report(
        &findings, fileBytes, "ends here, but has checksums to byte \(last.endByte)",
        .setAside(path: newPath))
    } else if written.isSealed && goodLines.isEmpty {
      try replaceSidecar(keepingTo: 0, because: "the mark of a sealed segment without rows", &findings)
    } else if try sidecar.size() > written.wholeBytes {
      try sidecar.truncate(to: written.wholeBytes)
    }
  }

  /// Where the rows end that its checksum file calls complete.
  var isAtSealedEnd: Bool {
    guard let sealedBytes = known?.sealedBytes else { return false }
    return bytes >= sealedBytes
  }

  /// Takes whole rows: compares them with the bytes that are there, and appends what these lack.
  /// - Returns: the byte of the file that differs; then no row was taken. Nil if none does.
  func match(
    _ rows: UnsafeRawBufferPointer, rowCount: Int, _ findings: inout [RecoveryFinding]
  ) throws(StorageError) -> Int? {
    let there = rows.first(min(rows.count, fileBytes - bytes))
    if let different = try known?.comparison?.firstDifference(from: there, at: bytes) { return different }
    if there.count < rows.count {
      try data.append(rows.after(there.count))
      fileBytes += rows.count - there.count
    }
    blocks.add(rows, rowCount: rowCount)
    try checkLines(&findings)
    if bytes == fileBytes { known?.comparison = nil }
    return nil
  }

  /// Takes the whole rows that are there and will not be made once more. Returns how many.
  func keepRows(_ findings: inout [RecoveryFinding]) throws(StorageError) -> Int {
    known?.firstByte = .max
    let first = endOffset
    let limit = known?.sealedBytes ?? fileBytes
    let chunks = RowChunkReader(data)
    while bytes < limit, let rows = try chunks.wholeRows(at: bytes) {
      let rows = rows.first(min(rows.count, limit - bytes))
      blocks.add(rows, rowCount: rows.rowCount)
    }
    try checkLines(&findings)
    return endOffset - first
  }

  /// The file is good only up to `byte`: cuts it there, if what follows never was on stable storage, else
  /// sets it aside. `hasLater` if segments follow, which shows that all of this one was.
  func repair(
    at byte: Int, _ what: String, hasLater: Bool, _ findings: inout [RecoveryFinding]
  ) throws(StorageError) {
    if hasLater || byte < known?.syncedBytes ?? 0 {
      let newPath = try replaceSegment(baseOffset, keepingTo: byte, data, fileSystem, directory)
      report(&findings, byte, what, .setAside(path: newPath))
      data = try fileSystem.openForAppending(segmentPath(directory: directory, baseOffset: baseOffset))
      known?.comparison = FileComparison(data)
      if try sidecar.size() > 0 { try replaceSidecar(keepingTo: byte) }
      blocks.dropKnown(after: byte)
      known?.isToldShort = true
    } else {
      report(&findings, byte, what, .cut(bytes: fileBytes - byte))
      try data.truncate(to: byte)
    }
    known?.sealedBytes = nil
    fileBytes = byte
  }

  /// Judges the lines that did not hold. Rows that were compared are right, so the line is wrong; of others
  /// there is no telling.
  private func checkLines(_ findings: inout [RecoveryFinding]) throws(StorageError) {
    for broken in blocks.takeBroken() {
      let what = "the checksum of the bytes to \(broken.line.endByte) does not match"
      if broken.startByte < known?.firstByte ?? 0 {
        report(&findings, broken.startByte, what, .leftInPlace)
        continue
      }
      try replaceSidecar(keepingTo: broken.startByte, because: "\(what) the rows", &findings)
      try beginBlocksAnew()
      return
    }
  }

  /// Divides what was taken since the end of the last good block once more, without the lines.
  private func beginBlocksAnew() throws(StorageError) {
    let end = bytes
    let endOffset = endOffset
    let read = try Sidecar.readWithFault(fileSystem, directory, baseOffset: baseOffset)
    let start = read?.lines.last
    blocks = ChecksumBlocks(endByte: start?.endByte ?? 0, endOffset: start?.endOffset ?? baseOffset)
    try addBytes(to: end)
    blocks.setEndOffset(endOffset)
  }

  /// Adds the file's bytes up to `end` to the blocks.
  private func addBytes(to end: Int) throws(StorageError) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 16)
    defer { buffer.deallocate() }
    while bytes < end {
      let wanted = UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(end - bytes))
      let count = try data.read(into: wanted, at: bytes)
      // It was longer a moment ago.
      guard count > 0 else { throw StorageError(operation: .read, path: data.path, offset: bytes, code: EIO) }
      let piece = UnsafeRawBufferPointer(wanted).first(count)
      blocks.add(piece, rowCount: piece.rowCount)
    }
  }

  private func report(
    _ findings: inout [RecoveryFinding], _ byte: Int, _ what: String, _ outcome: RecoveryFinding.Outcome
  ) {
    let path = segmentPath(directory: directory, baseOffset: baseOffset)
    findings.append(RecoveryFinding(path: path, byte: byte, what: what, outcome: outcome))
  }

  private func replaceSidecar(
    keepingTo byte: Int, because what: String, _ findings: inout [RecoveryFinding]
  ) throws(StorageError) {
    let newPath = try replaceSidecar(keepingTo: byte)
    let path = "\(directory)/\(sidecarName(baseOffset))"
    let keptBytes = try sidecar.size()
    findings.append(
      RecoveryFinding(path: path, byte: keptBytes, what: what, outcome: .setAside(path: newPath)))
  }

  /// Sets the checksum file aside and begins another with its lines for the bytes to `byte`.
  /// - Returns: the new path of the old file.
  @discardableResult
  private func replaceSidecar(keepingTo byte: Int) throws(StorageError) -> String {
    let name = sidecarName(baseOffset)
    let written = try Sidecar.readWithFault(fileSystem, directory, baseOffset: baseOffset)
    let lines = written?.lines.prefix { $0.endByte <= byte } ?? []
    let newPath = try setAside(name, fileSystem, directory)
    let text = Array(([Sidecar.header] + lines.map(\.text)).map { $0 + "\n" }.joined().utf8)
    try text.span.bytes.withUnsafeBytes { bytes throws(StorageError) in
      try fileSystem.writeFileAtomically("\(directory)/\(name)", bytes)
    }
    sidecar = try fileSystem.openForAppending("\(directory)/\(name)")
    sidecarIsSynced = true
    header = ""
    known?.sealedBytes = nil
    return newPath
  }
}
