import Journal
import Pipeline
import Records
import Storage
import Testing

@testable import Playback

@Suite struct CustomerFileEntryTests {
  private enum Shape: Equatable {
    case lines, whole, tooLong
  }

  private func described(_ piece: FilePiece) -> (shape: Shape, text: String) {
    switch piece {
    case .lines(let text): (.lines, String(decoding: text, as: UTF8.self))
    case .whole(let text): (.whole, String(decoding: text, as: UTF8.self))
    case .tooLong(let text): (.tooLong, String(decoding: text, as: UTF8.self))
    }
  }

  @Test func `What becomes an entry comes back as the same piece`() throws {
    for text in ["", "{}", "{}\n{}\n", "[\n{}\n]"] {
      try withPieces(of: text) { piece in
        let entries = EntryBuffer()
        Array("/c/1.json".utf8).withUnsafeBytes {
          CustomerFileEntry.append(piece, path: $0, arrivalMs: 42, to: entries)
        }
        let entry = try #require(entries.first { _ in true })
        #expect(entry.kind == .customerFile)
        #expect(entry.arrivalMs == 42)
        #expect(String(decoding: entry.topic, as: UTF8.self) == "/c/1.json")
        #expect(described(CustomerFileEntry.piece(of: entry)) == described(piece))
      }
    }
  }

  private func withPieces(of text: String, _ body: (FilePiece) throws -> Void) throws {
    try Array(text.utf8).withUnsafeBytes { bytes in
      for piece in [FilePiece.lines(bytes), .whole(bytes), .tooLong(bytes)] { try body(piece) }
    }
  }

  @Test func `Files are in the journal before they are judged, and playing it gives the same customers`()
    throws
  {
    let journal = try JournalFixture()
    let fileSystem = LocalFileSystem()
    let path = journal.folder("customers")
    try fileSystem.createDirectories(path)
    // Lines with a broken one, an array over several lines, and a line that is too long.
    try fileSystem.overwrite("\(path)/1.json", "\(Texts.customer)\nbroken\n")
    let others = [#"{"email":"b@x","serialNumber":"S2"}"#, #"{"email":"c@x","serialNumber":"S2"}"#]
    try fileSystem.overwrite("\(path)/2.json", "[\n\(others[0]),\n\(others[1])]\n")
    let long = #"{"email":""# + String(repeating: "x", count: 2_000_000) + #""}"#
    try fileSystem.overwrite("\(path)/3.json", "\(long)\n")

    let loaded = try EngineFixture()
    let writer = try journal.writer()
    try loaded.player.loadCustomers(
      path: path, maxRecordBytes: 1 << 20, fileSystem: fileSystem, journal: writer, arrivalMs: 42)
    let counts = loaded.engine.counts
    #expect(counts[.customer, .consenting] == 1)
    #expect(counts[.customer, .notConsenting] == 2)
    #expect(counts[.customer, .malformed] == 1)
    #expect(counts[.customer, .oversized] == 1)
    #expect(writer.durablePosition == writer.endPosition)

    let replayed = try EngineFixture()
    let reader = try JournalReader(fileSystem: fileSystem, directory: journal.directory)
    let entries = EntryBuffer()
    while try reader.read(into: entries) { try replayed.player.play(entries) }
    #expect(replayed.engine.counts == counts)
    for table in EngineSettings().tables { #expect(try replayed.rows(table) == loaded.rows(table)) }
  }

  @Test func `What cannot be read or written is told apart`() throws {
    let journal = try JournalFixture()
    let fixture = try EngineFixture()
    let writer = try journal.writer()
    let error = #expect(throws: CustomerFileError.self) {
      try fixture.player.loadCustomers(
        path: "/nowhere", maxRecordBytes: 1_000, fileSystem: LocalFileSystem(), journal: writer, arrivalMs: 1)
    }
    guard case .input(.storage(let reason)) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(reason.path == "/nowhere")

    let faulty = FaultyFileSystem()
    let path = journal.folder("c.json")
    try faulty.overwrite(path, Texts.customer)
    let failing = try JournalWriter(fileSystem: faulty, directory: journal.folder("other"))
    faulty.fail(.sync)
    let second = #expect(throws: CustomerFileError.self) {
      try fixture.player.loadCustomers(
        path: path, maxRecordBytes: 1_000, fileSystem: faulty, journal: failing, arrivalMs: 1)
    }
    guard case .journal(let output) = second else {
      Issue.record("\(String(describing: second))")
      return
    }
    #expect(output.operation == .sync)
    #expect(fixture.engine.counts.received(.customer) == 0, "judged before it was durable")
  }
}
