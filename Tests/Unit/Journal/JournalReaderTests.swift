import Journal
import Storage
import Testing

@Suite struct JournalReaderTests {
  private let journal: JournalFixture

  init() throws { journal = try JournalFixture() }

  @discardableResult
  private func write(_ count: Int, segmentBytes: Int = 1 << 20) throws -> [Int] {
    let writer = try journal.writer(segmentBytes: segmentBytes)
    var positions: [Int] = []
    for number in 0..<count {
      let buffer = EntryBuffer([.numbered(number)])
      try writer.append(buffer)
      try writer.sync()
      positions += buffer.compactMap(\.position)
    }
    return positions
  }

  @Test func `A journal that does not exist is empty`() throws {
    #expect(try journal.entries() == [])
  }

  @Test(arguments: [1, 64, 100, 4096, 1 << 20])
  func `All entries are read, whatever the size of batches`(batchBytes: Int) throws {
    try write(500, segmentBytes: 3000)
    #expect(try journal.entries(batchBytes: batchBytes) == (0..<500).map(Entry.numbered))
  }

  @Test func `Reading can begin at every entry, and at the end`() throws {
    let positions = try write(60, segmentBytes: 500)
    for (number, position) in positions.enumerated() {
      #expect(try journal.entries(from: position) == (number..<60).map(Entry.numbered))
    }
    let end = try journal.writer(segmentBytes: 500).endPosition
    #expect(try journal.entries(from: end) == [])
    #expect(throws: JournalError.missing(directory: journal.directory, from: end, to: end + 8)) {
      try journal.entries(from: end + 8)
    }
  }

  @Test func `An entry longer than a batch is read whole`() throws {
    let long = Entry(payload: String(repeating: "p", count: 3_000_000))
    let writer = try journal.writer()
    try writer.append(EntryBuffer([.numbered(0), long, .numbered(2)]))
    #expect(try journal.entries(batchBytes: 100) == [.numbered(0), long, .numbered(2)])
  }

  @Test func `A segment that was taken away is an error that names the positions`() throws {
    try write(30, segmentBytes: 400)
    let segments = try journal.segments()
    try #require(segments.count >= 4)
    try journal.fileSystem.remove(segments[1])
    let error = #expect(throws: JournalError.self) { try journal.entries() }
    let from = try #require(Int(segments[1].dropLast(8).suffix(20)))
    let to = try #require(Int(segments[2].dropLast(8).suffix(20)))
    #expect(error == .missing(directory: journal.directory, from: from, to: to))
    #expect(
      error?.description == "\(journal.directory) lacks the journal's positions \(from) to \(to)")
    #expect(throws: JournalError.missing(directory: journal.directory, from: 0, to: to)) {
      try journal.fileSystem.remove(segments[0])
      return try journal.entries()
    }
  }

  @Test func `A flipped bit in any byte before the newest segment's last entry is damage`() throws {
    let positions = try write(12, segmentBytes: 300)
    let segments = try journal.segments()
    try #require(segments.count >= 2)
    for path in segments {
      let bytes = try journal.fileSystem.readFile(path)
      let last = path == segments.last ? bytes.count - lastEntryBytes(positions) : bytes.count
      for place in 0..<last {
        var changed = bytes
        changed[place] ^= 1 << (place % 8)
        try journal.fileSystem.overwrite(path, changed)
        let error = #expect(throws: JournalError.self) { try journal.entries(batchBytes: 256) }
        if case .damaged(let damaged, let byte, _) = error {
          #expect(damaged == path && byte <= place)
        } else {
          Issue.record("byte \(place) of \(path) gave \(String(describing: error))")
        }
      }
      try journal.fileSystem.overwrite(path, bytes)
    }
  }

  private func lastEntryBytes(_ positions: [Int]) -> Int {
    EntryBuffer([.numbered(positions.count - 1)]).byteCount
  }

  @Test func `An entry copied to another position does not pass`() throws {
    let writer = try journal.writer()
    let entry = Entry(topic: "t", payload: "same")
    try writer.append(EntryBuffer([entry, entry]))
    var bytes = try journal.fileSystem.readFile(journal.segment(0))
    let length = (bytes.count - 32) / 2
    bytes.replaceSubrange((32 + length)..., with: bytes[32..<32 + length])
    try journal.fileSystem.overwrite(journal.segment(0), bytes)
    #expect(try journal.entries() == [entry], "the second is taken for a torn tail")
  }

  @Test func `A later version and an unknown kind are told as such`() throws {
    try write(1)
    var bytes = try journal.fileSystem.readFile(journal.segment(0))
    bytes[8] = 2
    reseal(&bytes, header: 0)
    try journal.fileSystem.overwrite(journal.segment(0), bytes)
    #expect(throws: JournalError.unsupportedVersion(path: journal.segment(0), version: 2)) {
      try journal.entries()
    }
    bytes[8] = 1
    reseal(&bytes, header: 0)
    bytes[32 + 36] = 9
    reseal(&bytes, entry: 32, position: 0)
    try journal.fileSystem.overwrite(journal.segment(0), bytes)
    let unknown = JournalError.unknownKind(path: journal.segment(0), byte: 32, kind: 9)
    #expect(throws: unknown) { try journal.entries() }
    #expect(throws: unknown) { try journal.writer() }
  }

  @Test func `What is before an entry of an unknown kind is read, and then it is an error`() throws {
    let positions = try write(3)
    let place = 32 + positions[2]
    var bytes = try journal.fileSystem.readFile(journal.segment(0))
    bytes[place + 36] = 0
    reseal(&bytes, entry: place, position: UInt64(positions[2]))
    try journal.fileSystem.overwrite(journal.segment(0), bytes)
    let reader = try JournalReader(fileSystem: journal.fileSystem, directory: journal.directory)
    let buffer = EntryBuffer()
    #expect(try reader.read(into: buffer))
    #expect(buffer.map(Entry.init) == [.numbered(0), .numbered(1)])
    #expect(reader.position == positions[2])
    #expect(throws: JournalError.unknownKind(path: journal.segment(0), byte: place, kind: 0)) {
      try reader.read(into: buffer)
    }
  }

  @Test func `A reader tells the torn end that it has passed over, once it is there`() throws {
    let positions = try write(2)
    let end = 32 + positions[1] + EntryBuffer([.numbered(1)]).byteCount
    try journal.fileSystem.openForAppending(journal.segment(0)).append([1, 2, 3])
    let reader = try JournalReader(fileSystem: journal.fileSystem, directory: journal.directory)
    let buffer = EntryBuffer()
    #expect(try reader.read(into: buffer))
    #expect(reader.tornTail == nil)
    #expect(try !reader.read(into: buffer))
    #expect(reader.tornTail?.path == journal.segment(0))
    #expect(reader.tornTail?.byte == end)
    #expect(reader.tornTail?.bytes == 3)
  }

  /// Makes a changed file header valid again.
  private func reseal(_ bytes: inout [UInt8], header: Int) {
    let sum = bytes[header..<header + 24].withUnsafeBytes { checksum($0) }
    put(sum, 8, at: header + 24, &bytes)
  }

  /// Makes a changed entry, the last one, valid again.
  private func reseal(_ bytes: inout [UInt8], entry: Int, position: UInt64) {
    let check = bytes[entry + 8..<entry + 38].withUnsafeBytes { checksum($0, seed: position) }
    put(check, 2, at: entry + 38, &bytes)
    let sum = bytes[(entry + 8)...].withUnsafeBytes { checksum($0, seed: position) }
    put(sum, 8, at: entry, &bytes)
  }

  private func put(_ value: UInt64, _ count: Int, at place: Int, _ bytes: inout [UInt8]) {
    for byte in 0..<count { bytes[place + byte] = UInt8(truncatingIfNeeded: value >> (8 * byte)) }
  }
}
