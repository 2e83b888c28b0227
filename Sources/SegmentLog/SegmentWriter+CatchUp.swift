// A table that is fed rows once more: after a crash they are made again from the journal, compared with the
// bytes that are there, and go on where these end.
//
// Invariants:
// - Segments end where they did, whatever `segmentBytes` is now and whenever `roll` is called.
// - When all that is there is used up the writer is as if it had never stopped. That moment needs no call.
// - Damage is put right from the rows as far as these reach, never thrown, and told in `takeFindings`.

import Storage

extension SegmentWriter {
  /// Opens the table in `directory`, creating it if it is not there, to be fed the rows from `position` on
  /// once more: those that are there are compared, and all others appended. What `position` tells to be
  /// there but is not, and all damage, is told in `takeFindings`; only storage errors are thrown.
  ///
  /// Rows of segments that were moved away before the first one that is left are counted and dropped.
  public convenience init(
    fileSystem: any FileSystem, directory: String, options: SegmentOptions = SegmentOptions(),
    resumingAt position: TablePosition
  ) throws(SegmentLogError) {
    precondition(
      position.byte >= 0 && position.offset >= 0
        && (position.byte == 0) == (position.offset <= position.baseOffset),
      "a position between two rows")
    let table = try storage { () throws(StorageError) in
      try fileSystem.createDirectories(directory)
      return try resumeTable(at: position, fileSystem, directory)
    }
    self.init(
      fileSystem, directory, options, active: table.active, ahead: table.ahead,
      openReport: OpenReport(endOffset: position.offset))
    try storage { () throws(StorageError) in
      let target = try? fileSystem.linkTarget("\(directory)/\(currentLinkName)")
      linkedBase = table.newestBase
      if target != segmentName(table.newestBase) { try link(to: table.newestBase) }
      try advance()
    }
  }

  /// Whether rows that come are compared with what is there.
  public var isCatchingUp: Bool {
    ahead.rowsToDrop > 0 || active.bytes < active.fileBytes || nextBase != nil
  }

  /// What was found to be wrong since the last call, in that order.
  public func takeFindings() -> [RecoveryFinding] {
    defer { ahead.findings.removeAll() }
    return ahead.findings
  }

  /// All rows to come are new. Rows that are there and were not given once more stay, and count; later
  /// segments that do not follow on the rows that are there are set aside.
  /// - Returns: how many rows stay that were not given once more.
  public func endCatchUp() throws(StorageError) -> Int {
    try guarded { () throws(StorageError) in
      ahead.rowsToDrop = 0
      var rows = 0
      while true {
        rows += try active.keepRows(&ahead.findings)
        if active.bytes < active.fileBytes { try repairRest() }
        guard nextBase == active.endOffset else { break }
        try enterNext()
      }
      try setLaterAside()
      try advance()
      return rows
    }
  }

  /// Takes the rows that are there, or belong before what is there, from the front of `rows`.
  func catchUp(_ rows: inout UnsafeRawBufferPointer, _ rowCount: inout Int) throws(StorageError) {
    while isCatchingUp && !rows.isEmpty {
      let part: UnsafeRawBufferPointer
      let partRows: Int
      if ahead.rowsToDrop > 0 {
        (part, partRows) = first(ahead.rowsToDrop, of: rows, rowCount)
        ahead.rowsToDrop -= partRows
      } else {
        (part, partRows) = rowsOfActive(rows, rowCount)
        let bytesThere = active.fileBytes
        if let different = try active.match(part, rowCount: partRows, &ahead.findings) {
          try repair(at: different, "differs from the row that belongs here")
          try advance()
          continue
        }
        if active.fileBytes > bytesThere { reportCompletion(from: bytesThere) }
      }
      rows = rows.after(part.count)
      rowCount -= partRows
      try advance()
    }
  }

  /// The later segment that comes next, unless the rows so far have passed its beginning.
  private var nextBase: Int? {
    ahead.segments.first { $0 >= active.endOffset }
  }

  /// The rows that belong into the active segment, as far as that is known.
  private func rowsOfActive(
    _ rows: UnsafeRawBufferPointer, _ rowCount: Int
  ) -> (UnsafeRawBufferPointer, Int) {
    var part = (rows, rowCount)
    if let nextBase { part = first(nextBase - active.endOffset, of: rows, rowCount) }
    // Where no segment follows, what is there may end in the middle of a row: that row belongs to it.
    let limit = active.known?.sealedBytes ?? (nextBase == nil ? active.fileBytes : nil)
    guard let limit, let end = part.0.rowEnd(atLeast: max(1, limit - active.bytes)), end < part.0.count
    else { return part }
    return (part.0.first(end), part.0.first(end).rowCount)
  }

  private func first(
    _ count: Int, of rows: UnsafeRawBufferPointer, _ rowCount: Int
  ) -> (UnsafeRawBufferPointer, Int) {
    count < rowCount ? (rows.first(rows.end(ofRows: count)), count) : (rows, rowCount)
  }

  /// Moves to the next segment if the active one is used up; at the end of all that is there, the usual rules
  /// hold again.
  private func advance() throws(StorageError) {
    while ahead.rowsToDrop == 0 && (nextBase == active.endOffset || active.isAtSealedEnd) {
      if active.bytes < active.fileBytes {
        try repairRest()
      } else {
        try enterNext()
      }
    }
    if !isCatchingUp && active.bytes >= options.segmentBytes { try rollOver() }
  }

  /// Completes the active segment, and opens or creates the one that follows it.
  private func enterNext() throws(StorageError) {
    let isSealed = active.known?.sealedBytes != nil
    if !isSealed { active.endBlock() }
    try syncActive(sealing: !isSealed)
    let base = active.endOffset
    let isThere = ahead.segments.contains(base)
    ahead.segments.removeAll { $0 == base }
    active = try ActiveSegment(
      resumingAt: TablePosition(baseOffset: base, byte: 0, offset: base), fileSystem, directory,
      &ahead.findings)
    namesAreUnsynced = true
    if !isThere && nextBase != nil { reportShort(0, "not there, though later segments are") }
    if base > linkedBase ?? -1 { try linkActive() }
  }

  private func repair(at byte: Int, _ what: String) throws(StorageError) {
    try active.repair(at: byte, what, hasLater: !ahead.segments.isEmpty, &ahead.findings)
  }

  /// The active segment has no more rows, but more bytes.
  private func repairRest() throws(StorageError) {
    let isComplete = nextBase == active.endOffset || active.isAtSealedEnd
    try repair(at: active.bytes, isComplete ? "goes on behind the segment's last row" : "a torn last row")
  }

  /// Tells, once, of a segment that others follow and that was shorter than it should be.
  private func reportCompletion(from byte: Int) {
    guard let nextBase, active.known?.isToldShort == false else { return }
    reportShort(byte, "ends here, but the next segment begins with row \(nextBase)")
  }

  private func reportShort(_ byte: Int, _ what: String) {
    let path = segmentPath(directory: directory, baseOffset: active.baseOffset)
    ahead.findings.append(RecoveryFinding(path: path, byte: byte, what: what, outcome: .writtenAgain))
    active.known?.isToldShort = true
  }

  private func setLaterAside() throws(StorageError) {
    if ahead.segments.isEmpty { return }
    if linkedBase != active.baseOffset { try linkActive() }
    let names = try fileSystem.list(directory)
    let nextRow = active.endOffset
    for base in ahead.segments {
      for name in [segmentName(base), sidecarName(base)] where names.contains(name) {
        let newPath = try setAside(name, fileSystem, directory)
        ahead.findings.append(
          RecoveryFinding(
            path: "\(directory)/\(name)", byte: 0,
            what: "begins with row \(base), where row \(nextRow) comes next",
            outcome: .setAside(path: newPath)))
      }
    }
    ahead.segments.removeAll()
  }
}
