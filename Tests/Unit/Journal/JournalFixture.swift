import Journal
import Storage

/// A journal in a folder of its own, and what tests do with it.
struct JournalFixture {
  let folder: ScratchFolder
  let fileSystem = LocalFileSystem()
  let directory: String

  init() throws {
    folder = try ScratchFolder()
    directory = folder("journal")
  }

  func writer(segmentBytes: Int = 1 << 20) throws -> JournalWriter {
    try JournalWriter(
      fileSystem: fileSystem, directory: directory, options: JournalOptions(segmentBytes: segmentBytes))
  }

  func segment(_ base: Int) -> String {
    "\(directory)/" + String(repeating: "0", count: 20 - String(base).count) + "\(base).journal"
  }

  func segments() throws -> [String] {
    try fileSystem.list(directory).map { "\(directory)/\($0)" }
  }

  /// All entries from `position` on.
  func entries(from position: Int = 0, batchBytes: Int = 1 << 20) throws -> [Entry] {
    let reader = try JournalReader(
      fileSystem: fileSystem, directory: directory, from: position, batchBytes: batchBytes)
    let buffer = EntryBuffer(capacityBytes: 64)
    var entries: [Entry] = []
    while try reader.read(into: buffer) { entries += buffer.map(Entry.init) }
    return entries
  }
}

/// An entry by value.
struct Entry: Equatable {
  var kind = JournalEntryKind.message
  var arrivalMs: Int64 = 1_700_000_000_000
  var packetID: UInt16 = 0
  var flags: UInt8 = 0
  var topic = "stedi/customer/1"
  var payload = "{}"
  var originalPayloadBytes: Int?

  /// One of many, of varying lengths.
  static func numbered(_ number: Int) -> Entry {
    Entry(
      arrivalMs: Int64(number), packetID: UInt16(truncatingIfNeeded: number),
      topic: "t/" + String(repeating: "x", count: number % 11),
      payload: "{\"n\":\(number)" + String(repeating: " ", count: number % 23) + "}")
  }
}

extension Entry {
  init(_ view: EntryView) {
    self.init(
      kind: view.kind, arrivalMs: view.arrivalMs, packetID: view.packetID, flags: view.flags,
      topic: String(decoding: view.topic, as: UTF8.self),
      payload: String(decoding: view.payload, as: UTF8.self),
      originalPayloadBytes: view.isCut ? view.originalPayloadBytes : nil)
  }
}

extension EntryBuffer {
  convenience init(_ entries: [Entry]) {
    self.init(capacityBytes: 64)
    entries.forEach(append)
  }

  func append(_ entry: Entry) {
    Array(entry.topic.utf8).withUnsafeBytes { topic in
      Array(entry.payload.utf8).withUnsafeBytes { payload in
        append(
          kind: entry.kind, arrivalMs: entry.arrivalMs, packetID: entry.packetID, flags: entry.flags,
          topic: topic, payload: payload, originalPayloadBytes: entry.originalPayloadBytes)
      }
    }
  }
}
