// Opening a journal for writing: where does it end, and is what is there to be trusted?
//
// Reads all of the newest segment, and of the one before only whether it reaches as far as it must; the
// older ones are read, and checked, by the replay that follows.

import Storage

/// The segment to be written on.
struct OpenedSegment {
  let file: any File
  let basePosition: Int
  let report: JournalOpenReport
}

func openNewestSegment(
  _ fileSystem: any FileSystem, _ directory: String
) throws(JournalError) -> OpenedSegment {
  let bases = try storage { () throws(StorageError) in
    try fileSystem.createPrivateDirectory(directory)
    return try JournalFormat.segments(fileSystem, directory)
  }
  guard let newest = bases.last else {
    let file = try storage { () throws(StorageError) in try createSegment(0, fileSystem, directory) }
    return OpenedSegment(file: file, basePosition: 0, report: JournalOpenReport(endPosition: 0))
  }
  try checkJoint(bases, fileSystem, directory)
  let name = JournalFormat.segmentName(newest)
  let path = "\(directory)/\(name)"
  let file = try storage { () throws(StorageError) in
    // What `writeFileAtomically` leaves if it fails.
    if try fileSystem.list(directory).contains(".\(name).tmp") { try rewrite(path, fileSystem) }
    return try fileSystem.openForAppending(path)
  }
  let scanner = try SegmentScanner(file, basePosition: newest, isNewest: true)
  let buffer = EntryBuffer(capacityBytes: 1 << 20)
  while try scanner.read(into: buffer, wantedBytes: 1 << 20) {}
  let report = try storage { () throws(StorageError) in
    let report = try cutTornTail(scanner)
    // What a killed process wrote is perhaps only in the kernel's memory.
    do throws(StorageError) { try file.sync() } catch {
      try? rewrite(path, fileSystem)
      throw error
    }
    try fileSystem.syncDirectory(directory)
    return report
  }
  return OpenedSegment(file: file, basePosition: newest, report: report)
}

// After a failed sync the kernel may count pages as clean that the disk does not have, and the next start would take
// them for durable. Unlike in JournalWriter.cutUnsynced it is not known how much was durable before, so nothing may be
// cut: the file is written anew. If that fails too, the temporary file stays and tells the next start to do it; where not
// even that can be made, the disk is past helping (docs/durability.md, "What is not promised").
private func rewrite(_ path: String, _ fileSystem: any FileSystem) throws(StorageError) {
  let bytes = try fileSystem.readFile(path)
  try bytes.span.bytes.withUnsafeBytes { bytes throws(StorageError) in
    try fileSystem.writeFileAtomically(path, bytes)
  }
}

/// Creates the segment that begins at `position`; its name and its header are durable.
func createSegment(
  _ position: Int, _ fileSystem: any FileSystem, _ directory: String
) throws(StorageError) -> any File {
  let file = try fileSystem.openForAppending("\(directory)/\(JournalFormat.segmentName(position))")
  try file.append(JournalFormat.fileHeader(position))
  // As after any failed sync (JournalWriter.cutUnsynced): the next start must not take the header for durable.
  do { try file.sync() } catch {
    try? file.truncate(to: 0)
    throw error
  }
  try fileSystem.syncDirectory(directory)
  return file
}

/// Cuts what follows the last good entry; a torn header is written anew.
private func cutTornTail(_ scanner: SegmentScanner) throws(StorageError) -> JournalOpenReport {
  var report = JournalOpenReport(endPosition: scanner.position)
  report.tornTail = scanner.tornTail
  if let tornTail = scanner.tornTail { try scanner.file.truncate(to: tornTail.byte) }
  if scanner.headerIsTorn {
    try scanner.file.append(JournalFormat.fileHeader(scanner.basePosition))
  }
  return report
}

/// Checks that the segment before the newest ends where the newest begins.
private func checkJoint(
  _ bases: [Int], _ fileSystem: any FileSystem, _ directory: String
) throws(JournalError) {
  guard let newest = bases.last, let previous = bases.dropLast().last else { return }
  let path = "\(directory)/\(JournalFormat.segmentName(previous))"
  let size = try storage { () throws(StorageError) in try fileSystem.openForReading(path).size() }
  let end = previous + size - JournalFormat.fileHeaderBytes
  if end < newest { throw .missing(directory: directory, from: end, to: newest) }
  if end > newest {
    throw .damaged(
      path: path, byte: newest - previous + JournalFormat.fileHeaderBytes,
      what: "entries that the next segment has too")
  }
}
