// Checks a table against its checksums, without changing anything and without stopping at damage. The
// table may be written meanwhile: a checksum file is read before the segment it covers, which can only
// have grown since. A folder that is listed while names come and go may lack one that came before another which it
// shows, and show one that has gone: so the folder is listed again before a segment is said to be missing.

import Storage

/// Checks every segment of the table in `directory`. Damage, also a file that cannot be read, is in the
/// report; only a folder that cannot be listed is an error.
///
/// - Parameter progress: gets the bytes of the table checked so far, block by block.
public func verifyTable(
  fileSystem: any FileSystem, directory: String, progress: @escaping (Int) -> Void = { _ in }
) throws(StorageError) -> TableReport {
  var verifier = TableVerifier(fileSystem: fileSystem, directory: directory, progress: progress)
  let names = try fileSystem.list(directory)
  let bases = names.compactMap(baseOffset(ofSegment:)).sorted()
  for base in bases {
    for missed in verifier.basesMissed(before: base) { verifier.verifySegment(missed, isNewest: false) }
    verifier.verifySegment(base, isNewest: base == bases.last)
  }
  verifier.verifyOrphans(names.compactMap(baseOffset(ofSidecar:)).filter { !bases.contains($0) })
  verifier.verifyLink(to: bases.last)
  return verifier.report
}

private struct TableVerifier {
  let fileSystem: any FileSystem
  let directory: String
  let progress: (Int) -> Void
  var report = TableReport()
  /// The end of the rows so far; nil before the first segment.
  private var endOffset: Int?

  init(fileSystem: any FileSystem, directory: String, progress: @escaping (Int) -> Void) {
    self.fileSystem = fileSystem
    self.directory = directory
    self.progress = progress
  }

  mutating func verifySegment(_ base: Int, isNewest: Bool) {
    let path = "\(directory)/\(segmentName(base))"
    do {
      let file = try fileSystem.openForReading(path)
      verifyContinuity(base, path)
      try verifyFile(file, base, isNewest: isNewest)
    } catch {
      endOffset = nil
      if error.isNotFound && wasMovedAway(base) { return }
      report.problem(path, error.offset ?? 0, error.description)
    }
  }

  private mutating func verifyFile(_ file: any File, _ base: Int, isNewest: Bool) throws(StorageError) {
    let sidecar = readSidecar(base)
    let size = try file.size()
    let (checkedByte, checkedOffset) = try verifyBlocks(sidecar?.lines ?? [], base, file, size)
    let rest = try wholeRows(of: file, from: checkedByte)
    report.segments += 1
    report.bytes += max(size, rest.endByte)
    report.rows += checkedOffset - base + rest.rows
    endOffset = checkedOffset + rest.rows
    let isSealed = sidecar?.isSealed ?? false
    if isSealed && size > checkedByte {
      report.problem(file.path, checkedByte, "bytes after the end of a sealed segment")
    }
    if size > rest.endByte { reportTornRow(file.path, rest.endByte, size, isNewest: isNewest) }
    if sidecar != nil && !isSealed && !isNewest {
      report.problem(file.path, size, "not sealed, though a later segment follows")
    }
  }

  /// The segments that should come before `base`, and that were not listed but are there.
  func basesMissed(before base: Int) -> [Int] {
    guard let endOffset, base > endOffset else { return [] }
    return namesNow().compactMap(baseOffset(ofSegment:)).filter { $0 >= endOffset && $0 < base }.sorted()
  }

  private func namesNow() -> [String] { (try? fileSystem.list(directory)) ?? [] }

  private mutating func verifyContinuity(_ base: Int, _ path: String) {
    guard let endOffset else {
      if base > 0 && report.segments == 0 { report.note(path, 0, "the table begins with row \(base)") }
      return
    }
    if base > endOffset { report.problem(path, 0, "rows \(endOffset) to \(base - 1) are missing before it") }
    if base < endOffset {
      report.problem(
        path, 0, "begins with row \(base), but the segment before ends with row \(endOffset - 1)")
    }
  }

  /// The segment's checksums; nil, and reported, if there are none to be had.
  private mutating func readSidecar(_ base: Int) -> Sidecar? {
    let path = "\(directory)/\(segmentName(base))"
    do {
      let sidecar = try Sidecar.read(fileSystem, directory, baseOffset: base)
      if sidecar == nil { report.note(path, 0, "unverified: it has no checksums") }
      return sidecar
    } catch .corrupt(let path, let byte, let what) {
      report.problem(path, byte, what)
    } catch {
      report.problem("\(directory)/\(sidecarName(base))", 0, error.description)
    }
    return nil
  }

  /// Checks all blocks, and returns where the last of them that the file reaches ends.
  private mutating func verifyBlocks(
    _ lines: [ChecksumLine], _ base: Int, _ file: any File, _ size: Int
  ) throws(StorageError) -> (byte: Int, offset: Int) {
    var byte = 0
    var offset = base
    for line in lines {
      guard line.endByte <= size else {
        report.problem(
          file.path, size, "ends here, but has checksums to byte \(lines[lines.count - 1].endByte)")
        break
      }
      let found = try checksum(of: file, byte..<line.endByte)
      if found.checksum != line.checksum {
        report.problem(file.path, byte, "the checksum of the bytes to \(line.endByte) does not match")
      } else if found.rows != line.endOffset - offset {
        report.problem(
          file.path, byte, "\(found.rows) rows to byte \(line.endByte), not \(line.endOffset - offset)")
      }
      byte = line.endByte
      offset = line.endOffset
      progress(report.bytes + byte)
    }
    return (byte, offset)
  }

  private func wholeRows(
    of file: any File, from start: Int
  ) throws(StorageError) -> (endByte: Int, rows: Int) {
    let chunks = RowChunkReader(file)
    var endByte = start
    var rows = 0
    while let chunk = try chunks.wholeRows(at: endByte) {
      endByte += chunk.count
      rows += chunk.rowCount
    }
    return (endByte, rows)
  }

  private mutating func reportTornRow(_ path: String, _ byte: Int, _ size: Int, isNewest: Bool) {
    let what = "a torn last row of \(size - byte) bytes"
    if isNewest { report.note(path, byte, what) } else { report.problem(path, byte, what) }
  }

  /// Whether a segment that was listed, and is gone, went as the oldest.
  private func wasMovedAway(_ base: Int) -> Bool {
    guard report.segments == 0, let first = namesNow().compactMap(baseOffset(ofSegment:)).min() else {
      return false
    }
    return base < first
  }

  /// Checksums without a segment: the segment is missing, unless it was only about to be created, or not listed.
  mutating func verifyOrphans(_ bases: [Int]) {
    if bases.isEmpty { return }
    let names = Set(namesNow())
    for base in bases where names.contains(sidecarName(base)) && !names.contains(segmentName(base)) {
      let path = "\(directory)/\(sidecarName(base))"
      let isEmpty = (try? fileSystem.readFile(path).isEmpty) ?? false
      if !isEmpty { report.problem(path, 0, "its segment \(segmentName(base)) is missing") }
    }
  }

  mutating func verifyLink(to newest: Int?) {
    guard let newest else { return }
    let path = "\(directory)/\(currentLinkName)"
    // By now there may be a newer one.
    let target = (try? fileSystem.linkTarget(path)).flatMap(baseOffset(ofSegment:))
    if target ?? -1 < newest {
      report.note(path, 0, "does not point to the newest segment; the gateway sets it when it starts")
    }
  }
}
