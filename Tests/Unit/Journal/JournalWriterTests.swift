import Storage
import Testing

@testable import Journal

@Suite struct JournalWriterTests {
  private let journal: JournalFixture

  init() throws { journal = try JournalFixture() }

  @Test func `A new journal is empty`() throws {
    let writer = try journal.writer()
    #expect(writer.openReport.endPosition == 0 && writer.openReport.tornTail == nil)
    #expect(writer.durablePosition == 0)
    #expect(try journal.entries() == [])
  }

  /// As in docs/journal-format.md; made by a C program from that page, with xxHash's own C interface.
  @Test func `The file is these bytes`() throws {
    let writer = try journal.writer()
    let message = Entry(
      packetID: 258, flags: 1, topic: "a/b", payload: "{\"x\":1}", originalPayloadBytes: 9)
    try writer.append(EntryBuffer([message]))
    try writer.sync()
    try writer.append(EntryBuffer([Entry(kind: .settings, arrivalMs: 2, topic: "", payload: "{}")]))
    #expect(
      hex(try journal.fileSystem.readFile(journal.segment(0))) == """
        53 54 45 50 47 4a 4e 4c 01 00 00 00 00 00 00 00
        00 00 00 00 00 00 00 00 81 a1 04 00 43 c9 ba 97
        fb d2 92 6c 31 17 64 96 00 68 e5 cf 8b 01 00 00
        00 00 00 00 00 00 00 00 07 00 00 00 09 00 00 00
        03 00 02 01 01 01 d2 22 61 2f 62 7b 22 78 22 3a
        31 7d 00 00 00 00 00 00 25 7e 03 44 24 a7 e3 2d
        02 00 00 00 00 00 00 00 38 00 00 00 00 00 00 00
        02 00 00 00 02 00 00 00 00 00 00 00 03 00 ac 29
        7b 7d 00 00 00 00 00 00
        """)
  }

  @Test func `What was appended is durable only after a sync`() throws {
    let writer = try journal.writer()
    let buffer = EntryBuffer([.numbered(1), .numbered(2)])
    try writer.append(buffer)
    #expect(writer.endPosition == buffer.byteCount)
    #expect(writer.durablePosition == 0)
    try writer.sync()
    #expect(writer.durablePosition == writer.endPosition)
  }

  @Test func `It rolls when it is told to, once for all that was appended`() throws {
    let writer = try journal.writer()
    try writer.roll()
    try writer.append(EntryBuffer([.numbered(1)]))
    try writer.roll()
    try writer.roll()
    let start = writer.endPosition
    #expect(writer.durablePosition == start)
    try writer.append(EntryBuffer([.numbered(2)]))
    try writer.sync()
    #expect(
      try journalSegmentPositions(fileSystem: journal.fileSystem, directory: journal.directory) == [0, start])
    #expect(try journal.entries() == [.numbered(1), .numbered(2)])
  }

  @Test func `A written buffer knows its entries' positions, and so does the reader`() throws {
    let writer = try journal.writer()
    try writer.append(EntryBuffer([.numbered(1)]))
    let start = writer.endPosition
    let buffer = EntryBuffer([.numbered(2), .numbered(3)])
    try writer.append(buffer)
    let positions = buffer.compactMap(\.position)
    #expect(positions.first == start)
    #expect(try journal.entries(from: positions[1]) == [.numbered(3)])
    #expect(try journal.entries(from: positions[0]) == [.numbered(2), .numbered(3)])
  }

  @Test func `Batches fill segments, each full one synced before the next`() throws {
    let disk = FaultyFileSystem()
    let writer = try JournalWriter(
      fileSystem: disk, directory: journal.directory, options: JournalOptions(segmentBytes: 100))
    _ = disk.takeLog()
    try writer.append(EntryBuffer([.numbered(0), .numbered(1), .numbered(2)]))
    let first = writer.endPosition
    #expect(first >= 100)
    try writer.append(EntryBuffer([.numbered(3)]))
    #expect(writer.durablePosition == first)
    try writer.sync()
    let names = try journal.segments().map { $0.split(separator: "/").last ?? "" }
    #expect(names.count == 2)
    #expect(
      disk.takeLog() == [
        "write \(names[0])", "sync \(names[0])", "write \(names[1])", "sync \(names[1])",
        "sync folder journal", "write \(names[1])", "sync \(names[1])",
      ])
    #expect(try journal.entries() == (0..<4).map(Entry.numbered))
  }

  @Test func `After a stop a journal goes on where it ended`() throws {
    for number in 0..<20 {
      let writer = try journal.writer(segmentBytes: 300)
      #expect(writer.openReport.tornTail == nil)
      #expect(writer.durablePosition == writer.endPosition)
      try writer.append(EntryBuffer([.numbered(number)]))
    }
    #expect(try journal.segments().count > 2)
    #expect(try journal.entries() == (0..<20).map(Entry.numbered))
  }

  @Test(arguments: [StorageError.Operation.write, .sync])
  func `A writer that has failed fails for good, and nothing more is durable`(
    operation: StorageError.Operation
  ) throws {
    let disk = FaultyFileSystem()
    let writer = try JournalWriter(fileSystem: disk, directory: journal.directory)
    try writer.append(EntryBuffer([.numbered(0)]))
    try writer.sync()
    let durable = writer.durablePosition
    disk.fail(operation)
    #expect(throws: StorageError.self) {
      try writer.append(EntryBuffer([.numbered(1)]))
      try writer.sync()
    }
    disk.fail(nil)
    #expect(throws: StorageError.self) { try writer.sync() }
    #expect(throws: StorageError.self) { try writer.append(EntryBuffer([.numbered(2)])) }
    #expect(writer.durablePosition == durable)
  }

  @Test func `What a failed sync leaves unknown is cut off, so that no later start takes it for durable`()
    throws
  {
    let disk = FaultyFileSystem()
    let writer = try JournalWriter(fileSystem: disk, directory: journal.directory)
    try writer.append(EntryBuffer([.numbered(0)]))
    try writer.sync()
    try writer.append(EntryBuffer([.numbered(1), .numbered(2)]))
    disk.fail(.sync)
    #expect(throws: StorageError.self) { try writer.sync() }
    #expect(try journal.entries() == [.numbered(0)])
    #expect(try journal.writer().openReport == JournalOpenReport(endPosition: writer.durablePosition))
  }

  private func hex(_ bytes: [UInt8]) -> String {
    stride(from: 0, to: bytes.count, by: 16).map { start in
      bytes[start..<min(start + 16, bytes.count)].map { byte in
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
      }.joined(separator: " ")
    }.joined(separator: "\n")
  }
}
