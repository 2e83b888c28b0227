// Reads the entries of one journal file, checks each, and tells a torn end from damage.
//
// A bad entry was torn, by a crash in the last writes, if it is in the newest segment and no good entry
// after it says that its place was on stable storage before. Good entries after it that do not say so may
// well be there: a disk need not write the pages of an unsynced file in order. They were torn with it.
// Since an entry's checksum is seeded with its position, a good entry cannot be there by chance.

import Storage

final class SegmentScanner {
  let basePosition: Int
  let file: any File
  /// The position after the entries read so far; at the end, after the last good one.
  private(set) var position: Int
  /// At the end: the bytes that follow the last good entry (with a bad header, all of the file).
  private(set) var tornBytes = 0
  private(set) var headerIsTorn = false
  private let isNewest: Bool
  private let size: Int

  /// Begins at the first entry of `file`.
  init(_ file: any File, basePosition: Int, isNewest: Bool) throws(JournalError) {
    self.file = file
    self.basePosition = basePosition
    self.isNewest = isNewest
    position = basePosition
    size = try storage { () throws(StorageError) in try file.size() }
    try checkHeader()
  }

  /// The position at which the next segment must begin, if this one is whole.
  var endPosition: Int { basePosition + size - JournalFormat.fileHeaderBytes }

  /// Goes on with the entry that begins at `position`.
  func seek(to position: Int) { self.position = position }

  /// Replaces the buffer's entries by the next ones, about `wantedBytes` of them. False at the end.
  func read(into buffer: EntryBuffer, wantedBytes: Int) throws(JournalError) -> Bool {
    buffer.reset()
    guard !headerIsTorn, tornBytes == 0 else { return false }
    var wanted = max(wantedBytes, EntryHeader.bytes)
    while position < endPosition {
      var stop = EntryState.bad
      try buffer.load(at: position, capacityBytes: wanted) { memory throws(JournalError) in
        let bytes = try load(memory, at: position)
        let prefix = wholeEntries(bytes)
        stop = prefix.stop
        try checkKinds(prefix, bytes)
        return (prefix.entries, prefix.bytes)
      }
      if buffer.byteCount > 0 {
        position += buffer.byteCount
        return true
      }
      // Perhaps an entry that is longer than what was asked for.
      guard case .needs(let count) = stop, count > wanted, count <= endPosition - position else {
        try acceptTornTail()
        return false
      }
      wanted = count
    }
    return false
  }

  private struct Prefix {
    var entries = 0
    var bytes = 0
    var stop = EntryState.needs(EntryHeader.bytes)
  }

  /// The good entries at the beginning of `bytes`, and why there are no more.
  private func wholeEntries(_ bytes: UnsafeRawBufferPointer) -> Prefix {
    var prefix = Prefix()
    while prefix.bytes < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[prefix.bytes...])
      prefix.stop = EntryState(rest, position: position + prefix.bytes)
      guard case .whole(let count) = prefix.stop else { break }
      prefix.entries += 1
      prefix.bytes += count
    }
    return prefix
  }

  private func checkKinds(_ prefix: Prefix, _ bytes: UnsafeRawBufferPointer) throws(JournalError) {
    var byte = 0
    while byte < prefix.bytes, let entry = bytes.baseAddress {
      let header = EntryHeader(at: entry + byte)
      guard JournalEntryKind(rawValue: header.kind) != nil else {
        throw .unknownKind(path: file.path, byte: fileByte(position) + byte, kind: header.kind)
      }
      byte += header.entryBytes
    }
  }

  private func checkHeader() throws(JournalError) {
    let header = UnsafeMutableRawBufferPointer.allocate(
      byteCount: JournalFormat.fileHeaderBytes, alignment: JournalFormat.alignment)
    defer { header.deallocate() }
    let count = try storage { () throws(StorageError) in try file.read(into: header, at: 0) }
    let bytes = UnsafeRawBufferPointer(rebasing: header[..<count])
    switch FileHeaderState(bytes, basePosition: basePosition) {
    case .good: return
    case .otherVersion(let version): throw .unsupportedVersion(path: file.path, version: version)
    case .bad:
      // The header is made durable before an entry is written, so any good entry tells.
      guard isNewest, try !wasDurable(basePosition - 1, tellsFrom: basePosition) else {
        throw .damaged(path: file.path, byte: 0, what: "not the header of a journal file")
      }
      headerIsTorn = true
      tornBytes = size
    }
  }

  /// Ends the reading at a bad entry, or throws if it is damage.
  private func acceptTornTail() throws(JournalError) {
    guard isNewest, try !wasDurable(position, tellsFrom: position + JournalFormat.alignment) else {
      throw .damaged(path: file.path, byte: fileByte(position), what: "no good entry, where one was durable")
    }
    tornBytes = endPosition - position
  }

  /// Whether a good entry anywhere from `start` on says that what is at `position` was durable.
  private func wasDurable(_ position: Int, tellsFrom start: Int) throws(JournalError) -> Bool {
    guard endPosition - start >= EntryHeader.bytes else { return false }
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: endPosition - start, alignment: 16)
    defer { memory.deallocate() }
    let bytes = try load(memory, at: start)
    var byte = 0
    while byte + EntryHeader.bytes <= bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[byte...])
      guard case .whole(let count) = EntryState(rest, position: start + byte), let entry = rest.baseAddress
      else {
        byte += JournalFormat.alignment
        continue
      }
      if EntryHeader(at: entry).durablePosition > position { return true }
      byte += count
    }
    return false
  }

  /// Reads from `position` on as much as there is room for.
  private func load(
    _ memory: UnsafeMutableRawBufferPointer, at position: Int
  ) throws(JournalError) -> UnsafeRawBufferPointer {
    let byte = fileByte(position)
    let wanted = UnsafeMutableRawBufferPointer(rebasing: memory.prefix(endPosition - position))
    let count = try storage { () throws(StorageError) in try file.read(into: wanted, at: byte) }
    return UnsafeRawBufferPointer(rebasing: wanted[..<count])
  }

  private func fileByte(_ position: Int) -> Int {
    JournalFormat.fileHeaderBytes + position - basePosition
  }
}
