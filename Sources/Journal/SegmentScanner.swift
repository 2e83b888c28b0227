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
  private var tornBytes = 0
  private(set) var headerIsTorn = false
  /// The file's bytes. What is written to it later is not looked at.
  let size: Int
  private let isNewest: Bool
  /// The length of the entry that `read` has refused for its kind.
  private var unknownEntryBytes = 0

  /// Begins at the first entry of `file`.
  convenience init(_ file: any File, basePosition: Int, isNewest: Bool) throws(JournalError) {
    try self.init(uncheckedHeaderOf: file, basePosition: basePosition, isNewest: isNewest)
    try checkHeader()
  }

  /// Begins at the first entry of `file`, whatever its header is.
  init(uncheckedHeaderOf file: any File, basePosition: Int, isNewest: Bool) throws(JournalError) {
    self.file = file
    self.basePosition = basePosition
    self.isNewest = isNewest
    position = basePosition
    size = try storage { () throws(StorageError) in try file.size() }
  }

  /// The position at which the next segment must begin, if this one is whole.
  var endPosition: Int { basePosition + size - JournalFormat.fileHeaderBytes }

  /// At the end: the torn end of the last write, if there is one.
  var tornTail: JournalOpenReport.TornTail? {
    guard tornBytes > 0 else { return nil }
    return .init(path: file.path, byte: headerIsTorn ? 0 : fileByte(position), bytes: tornBytes)
  }

  /// Goes on with the entry that begins at `position`.
  func seek(to position: Int) { self.position = position }

  /// Goes on behind the entry that `read` has refused for its kind.
  func skipUnknownEntry() { position += unknownEntryBytes }

  /// Goes on with the first good entry behind `position`, or at the end, and returns how many bytes it
  /// passed over. For those who want to see what damage left.
  func skipToGoodEntry() throws(JournalError) -> Int {
    let start = position + JournalFormat.alignment
    // The next one is near, as a rule: where there is much damage, reading the whole rest each time would
    // take hours.
    var window = 1 << 20
    var next = try firstGoodEntry(from: start, within: window) { _ in true }
    while next == nil, window < endPosition - start {
      window *= 8
      next = try firstGoodEntry(from: start, within: window) { _ in true }
    }
    defer { position = next ?? endPosition }
    return (next ?? endPosition) - position
  }

  /// Replaces the buffer's entries by the next ones, about `wantedBytes` of them. False at the end. After
  /// an error `position` is that of the entry that it tells of.
  func read(into buffer: EntryBuffer, wantedBytes: Int) throws(JournalError) -> Bool {
    buffer.reset()
    guard !headerIsTorn, tornBytes == 0 else { return false }
    var wanted = max(wantedBytes, EntryHeader.bytes)
    while position < endPosition {
      var prefix = Prefix()
      try buffer.load(at: position, capacityBytes: wanted) { memory throws(JournalError) in
        prefix = wholeEntries(try load(memory, at: position))
        return (prefix.entries, prefix.bytes)
      }
      if buffer.byteCount > 0 {
        position += buffer.byteCount
        return true
      }
      if let kind = prefix.unknownKind, case .whole(let count) = prefix.stop {
        unknownEntryBytes = count
        throw .unknownKind(path: file.path, byte: fileByte(position), kind: kind)
      }
      // Perhaps an entry that is longer than what was asked for.
      guard case .needs(let count) = prefix.stop, count > wanted, count <= endPosition - position else {
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
    /// What stands behind them.
    var stop = EntryState.needs(EntryHeader.bytes)
    /// Behind them stands a good entry of this kind.
    var unknownKind: UInt8?
  }

  /// The good entries of known kinds at the beginning of `bytes`, and why there are no more.
  private func wholeEntries(_ bytes: UnsafeRawBufferPointer) -> Prefix {
    var prefix = Prefix()
    while prefix.bytes < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[prefix.bytes...])
      prefix.stop = EntryState(rest, position: position + prefix.bytes)
      guard case .whole(let count) = prefix.stop, let entry = rest.baseAddress else { break }
      let kind = EntryHeader.kind(at: entry)
      guard JournalEntryKind(rawValue: kind) != nil else {
        prefix.unknownKind = kind
        break
      }
      prefix.entries += 1
      prefix.bytes += count
    }
    return prefix
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
    try firstGoodEntry(from: start, within: .max) { $0.durablePosition > position } != nil
  }

  /// The position of the first good entry that `matches` in the `window` bytes from `start` on, wherever it
  /// begins there.
  private func firstGoodEntry(
    from start: Int, within window: Int, where matches: (EntryHeader) -> Bool
  ) throws(JournalError) -> Int? {
    let count = min(endPosition - start, window)
    guard count >= EntryHeader.bytes else { return nil }
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 16)
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
      if matches(EntryHeader(at: entry)) { return start + byte }
      byte += count
    }
    return nil
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
