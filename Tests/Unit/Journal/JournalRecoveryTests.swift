import Journal
import Storage
import Testing

@Suite struct JournalRecoveryTests {
  private let journal: JournalFixture

  init() throws { journal = try JournalFixture() }

  /// A journal of one segment with `count` entries: its bytes, and where each entry ends.
  private func written(_ count: Int) throws -> (bytes: [UInt8], ends: [Int]) {
    let writer = try journal.writer()
    var ends: [Int] = []
    for number in 0..<count {
      try writer.append(EntryBuffer([.numbered(number)]))
      try writer.sync()
      ends.append(32 + writer.endPosition)
    }
    return (try journal.fileSystem.readFile(journal.segment(0)), ends)
  }

  @Test func `Torn at any byte, a journal keeps its whole entries and goes on`() throws {
    let (bytes, ends) = try written(5)
    for length in 0...bytes.count {
      try journal.fileSystem.overwrite(journal.segment(0), Array(bytes[..<length]))
      let whole = ends.count { $0 <= length }
      let wholeBytes = length < 32 ? 0 : whole == 0 ? 32 : ends[whole - 1]
      #expect(try journal.entries() == (0..<whole).map(Entry.numbered), "a reader passes over the torn end")

      let writer = try journal.writer()
      #expect(writer.openReport.tornTail?.bytes ?? 0 == length - wholeBytes)
      #expect(writer.openReport.tornTail?.byte == (length == wholeBytes ? nil : wholeBytes))
      #expect(writer.endPosition == (whole == 0 ? 0 : ends[whole - 1] - 32))
      try writer.append(EntryBuffer((whole..<6).map(Entry.numbered)))
      try writer.sync()
      #expect(try journal.entries() == (0..<6).map(Entry.numbered))
    }
  }

  @Test func `A last write of which any byte never reached the disk is a torn end`() throws {
    let (bytes, ends) = try written(3)
    for byte in ends[1]..<ends[2] where bytes[byte] != 0 {
      var changed = bytes
      changed[byte] = 0
      try journal.fileSystem.overwrite(journal.segment(0), changed)
      #expect(try journal.entries() == (0..<2).map(Entry.numbered))
      let writer = try journal.writer()
      #expect(writer.openReport.tornTail?.byte == ends[1])
      #expect(writer.openReport.tornTail?.bytes == ends[2] - ends[1])
    }
  }

  @Test func `Of writes that were never synced, any part may be missing, and what follows it is torn too`()
    throws
  {
    let writer = try journal.writer()
    try writer.append(EntryBuffer([.numbered(0)]))
    try writer.sync()
    let durable = 32 + writer.endPosition
    try writer.append(EntryBuffer([.numbered(1), .numbered(2)]))
    try writer.append(EntryBuffer([.numbered(3)]))
    let bytes = try journal.fileSystem.readFile(journal.segment(0))
    let lost = durable..<durable + EntryBuffer([.numbered(1)]).byteCount
    var changed = bytes
    changed.replaceSubrange(lost, with: [UInt8](repeating: 0, count: lost.count))
    try journal.fileSystem.overwrite(journal.segment(0), changed)
    #expect(try journal.entries() == [.numbered(0)])
    let torn = try journal.writer().openReport.tornTail
    #expect(torn?.byte == durable && torn?.bytes == bytes.count - durable)
  }

  @Test func `Zeros behind the last entry are a torn end`() throws {
    let (bytes, ends) = try written(3)
    try journal.fileSystem.overwrite(
      journal.segment(0), bytes + [UInt8](repeating: 0, count: 4096 - bytes.count))
    #expect(try journal.entries() == (0..<3).map(Entry.numbered))
    let torn = try journal.writer().openReport.tornTail
    #expect(torn?.byte == ends[2] && torn?.bytes == 4096 - ends[2])
  }

  @Test func `Damage that entries follow is an error, and nothing is changed`() throws {
    let (bytes, ends) = try written(4)
    for byte in [0, 20, 32, 40, 50, ends[0] + 1, ends[1] + 17, ends[2] - 1] {
      var changed = bytes
      changed[byte] ^= 0x40
      try journal.fileSystem.overwrite(journal.segment(0), changed)
      let error = #expect(throws: JournalError.self) { try journal.writer() }
      let place = byte < 32 ? 0 : ([32] + ends).last { $0 <= byte }
      if case .damaged(let path, let found, _) = error {
        #expect(path == journal.segment(0) && found == place)
      } else {
        Issue.record("byte \(byte) gave \(String(describing: error))")
      }
      #expect(try journal.fileSystem.readFile(journal.segment(0)) == changed)
    }
  }

  @Test func `A newest segment of which only a part of the header is there is written anew`() throws {
    let stopped = try journal.writer(segmentBytes: 8)
    try stopped.append(EntryBuffer([.numbered(0)]))
    let end = stopped.endPosition
    try stopped.append(EntryBuffer([.numbered(1)]))
    let bytes = try journal.fileSystem.readFile(journal.segment(end))
    for length in 0..<32 {
      try journal.fileSystem.overwrite(journal.segment(end), Array(bytes[..<length]))
      #expect(try journal.entries() == [.numbered(0)])
      let writer = try journal.writer(segmentBytes: 8)
      #expect(writer.endPosition == end)
      try writer.append(EntryBuffer([.numbered(1)]))
      #expect(try journal.fileSystem.readFile(journal.segment(end)) == bytes)
    }
  }

  @Test func `A newest segment that cannot be synced is written anew, by the next start if that fails too`()
    throws
  {
    let (bytes, _) = try written(3)
    let name = "00000000000000000000.journal"
    let disk = FaultyFileSystem()
    disk.fail(.sync)
    #expect(throws: JournalError.self) {
      try JournalWriter(fileSystem: disk, directory: journal.directory)
    }
    #expect(disk.takeLog() == ["sync \(name)", "write .\(name).tmp", "sync .\(name).tmp"])
    #expect(try journal.fileSystem.readFile(journal.segment(0)) == bytes)

    disk.fail(nil)
    let opened = try JournalWriter(fileSystem: disk, directory: journal.directory)
    #expect(opened.openReport.tornTail == nil && opened.endPosition == bytes.count - 32)
    let syncs = ["sync \(name)", "sync folder journal"]
    #expect(
      disk.takeLog()
        == ["write .\(name).tmp", "sync .\(name).tmp", "rename \(name)", "sync folder journal"] + syncs)
    #expect(try journal.fileSystem.readFile(journal.segment(0)) == bytes)

    _ = try JournalWriter(fileSystem: disk, directory: journal.directory)
    #expect(disk.takeLog() == syncs, "once is enough")
  }

  @Test func `An older segment that is too short or too long is an error on opening`() throws {
    let stopped = try journal.writer(segmentBytes: 8)
    try stopped.append(EntryBuffer([.numbered(0)]))
    let end = stopped.endPosition
    try stopped.append(EntryBuffer([.numbered(1)]))
    let bytes = try journal.fileSystem.readFile(journal.segment(0))
    try journal.fileSystem.overwrite(journal.segment(0), Array(bytes.dropLast()))
    #expect(throws: JournalError.missing(directory: journal.directory, from: end - 1, to: end)) {
      try journal.writer()
    }
    try journal.fileSystem.overwrite(journal.segment(0), bytes + [0])
    #expect(
      throws: JournalError.damaged(
        path: journal.segment(0), byte: bytes.count, what: "entries that the next segment has too")
    ) { try journal.writer() }
  }

  @Test func `A payload that looks like headers does not make the search for entries slow`() throws {
    // Every eight bytes of this payload look like the header of an entry that reaches far.
    let (bytes, ends) = try written(1)
    let fake = [UInt8](repeating: 0x01, count: 4_000_000)
    try journal.fileSystem.overwrite(journal.segment(0), bytes + fake)
    let start = ContinuousClock.now
    #expect(try journal.writer().openReport.tornTail?.byte == ends[0])
    #expect(ContinuousClock.now - start < .seconds(20))
  }
}
