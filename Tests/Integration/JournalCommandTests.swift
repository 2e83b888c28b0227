// `stepgate journal`, the program: what it prints of a journal, also of one that is torn, damaged, trimmed
// or being written.

import Foundation
import Journal
import Storage
import Testing

/// A data folder with a journal that the test writes.
private final class WrittenJournal {
  let folder: TemporaryFolder
  let writer: JournalWriter
  var directory: String { "\(folder.path)/journal" }

  init(segmentBytes: Int = 1 << 20) throws {
    folder = try TemporaryFolder()
    writer = try JournalWriter(
      fileSystem: LocalFileSystem(), directory: "\(folder.path)/journal",
      options: JournalOptions(segmentBytes: segmentBytes))
  }

  /// Appends an entry with one write and one sync, and returns its position.
  @discardableResult
  func append(
    _ kind: JournalEntryKind = .message, arrivalMs: Int64 = 1_700_000_000_123, packetID: UInt16 = 0,
    topic: String = "t", payload: [UInt8], originalPayloadBytes: Int? = nil
  ) throws -> Int {
    let buffer = EntryBuffer()
    Array(topic.utf8).withUnsafeBytes { topic in
      payload.withUnsafeBytes { payload in
        buffer.append(
          kind: kind, arrivalMs: arrivalMs, packetID: packetID, topic: topic, payload: payload,
          originalPayloadBytes: originalPayloadBytes)
      }
    }
    let position = writer.endPosition
    try writer.append(buffer)
    try writer.sync()
    return position
  }

  @discardableResult
  func append(_ payload: String) throws -> Int { try append(payload: Array(payload.utf8)) }

  func segment(_ base: Int) -> String { "\(directory)/\(twentyDigits(base)).journal" }

  /// Replaces bytes of a segment, or writes behind its end.
  func write(_ bytes: [UInt8], to path: String, at byte: Int? = nil) throws {
    let file = try #require(FileHandle(forUpdatingAtPath: path))
    if let byte { try file.seek(toOffset: UInt64(byte)) } else { try file.seekToEnd() }
    try file.write(contentsOf: Data(bytes))
    try file.close()
  }

  func command(_ options: String...) -> [String] { ["journal", "--data", folder.path] + options }
}

/// The columns of the lines.
private func columns(_ text: String) -> [[String]] {
  text.split(separator: "\n").map {
    $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
  }
}

@Suite struct JournalCommandTests {
  @Test func `An entry is a line that says all there is to say`() async throws {
    let journal = try WrittenJournal()
    try journal.append(
      packetID: 258, topic: "stedi/customer/1", payload: Array(#"{"email":"ada@x"}"#.utf8))
    let second = try journal.append(
      .customerFile, arrivalMs: 0, topic: "/c/1.json", payload: Array("{}\n{}\n".utf8))
    let third = try journal.append(
      arrivalMs: -1, topic: "big", payload: [UInt8](repeating: UInt8(ascii: "x"), count: 200),
      originalPayloadBytes: 2_000_000)
    let outcome = try await stepgate(journal.command())

    #expect(outcome.status == 0)
    #expect(outcome.error == "")
    #expect(
      outcome.output == """
        0\t2023-11-14T22:13:20.123Z\tmessage\t258\tstedi/customer/1\t17\t{"email":"ada@x"}
        \(second)\t1970-01-01T00:00:00.000Z\tcustomer-file\t0\t/c/1.json\t6\t{}\\n{}\\n
        \(third)\t1969-12-31T23:59:59.999Z\tmessage\t0\tbig\t200/2000000\t\(String(repeating: "x", count: 100))…

        """)
  }

  @Test func `The beginnings of sessions are told in words`() async throws {
    let journal = try WrittenJournal()
    try journal.append(.sessionGap, topic: "", payload: [])
    let lastContactMs: Int64 = 1_700_000_000_000
    let bytes = withUnsafeBytes(of: lastContactMs.littleEndian) { Array($0) }
    try journal.append(.sessionGap, arrivalMs: .max, topic: "", payload: bytes)
    let outcome = try await stepgate(journal.command("--kind", "session"))

    #expect(
      columns(outcome.output).map { $0[1...] } == [
        ["2023-11-14T22:13:20.123Z", "session", "0", "", "0", "the first session"],
        [
          "9223372036854775807 ms", "session", "0", "", "8",
          "the session before was last known at 2023-11-14T22:13:20.000Z",
        ],
      ])
  }

  @Test func `Nothing that an entry holds gets past its line and its column`() async throws {
    let journal = try WrittenJournal()
    let escape = "\u{1B}[2J\u{7}\0\u{7F}\t\r\n\u{9B}\u{85}\u{202E}\u{2028}\u{200B} é € 😀 \\n"
    try journal.append(topic: escape, payload: Array(escape.utf8))
    try journal.append(payload: [0xFF, 0x41, 0xC3, 0xE2, 0x82, 0x42, 0xED, 0xA0, 0x80, 0xF0, 0x9F])
    let outcome = try await stepgate(journal.command("--payload"))

    let shown = #"\x1B[2J\x07\x00\x7F\t\r\n\u{9B}\u{85}\u{202E}\u{2028}\u{200B} é € 😀 \n"#
    let lines = columns(outcome.output)
    #expect(lines.map(\.count) == [7, 7])
    #expect(lines.first.map { [$0[4], $0[6]] } == [shown, shown])
    #expect(lines.last?[6] == #"\xFFA\xC3\xE2\x82B\xED\xA0\x80\xF0\x9F"#)
  }

  @Test func `A payload is shown from its beginning, and whole when it is asked for`() async throws {
    let journal = try WrittenJournal()
    let long = String(repeating: "é", count: 100)
    for payload in ["", long, long + "e", String(repeating: "{\"a\":1}", count: 30_000)] {
      try journal.append(payload)
    }
    let short = columns(try await stepgate(journal.command()).output).map { $0[6] }
    #expect(short.prefix(3) == ["", long, long + "…"])
    #expect(short.last?.count == 101)
    let whole = columns(try await stepgate(journal.command("--payload")).output)
    #expect(whole[2][6] == long + "e")
    #expect(whole[3][5] == "210000" && whole[3][6].utf8.count == 210_000)
  }

  @Test func `Entries are printed from a position on, and of one kind`() async throws {
    let journal = try WrittenJournal(segmentBytes: 300)
    var positions: [Int] = []
    for number in 0..<40 {
      let kind: JournalEntryKind = number % 10 == 0 ? .settings : .message
      positions.append(try journal.append(kind, payload: Array("\(number)".utf8)))
    }
    for (from, first) in [
      (0, 0), (positions[7], 7), (positions[7] + 1, 8), (positions[39] + 1, 40), (.max, 40),
    ] {
      let outcome = try await stepgate(journal.command("--from", "\(from)"))
      #expect(outcome.status == 0)
      #expect(columns(outcome.output).map { $0[6] } == (first..<40).map(String.init))
    }
    let settings = try await stepgate(journal.command("--kind", "settings", "--from", "\(positions[1])"))
    #expect(columns(settings.output).map { $0[6] } == ["10", "20", "30"])
    let none = try await stepgate(journal.command("--kind", "customer-file"))
    #expect(none.output == "" && none.status == 0)
  }

  @Test func `A trimmed journal is printed from the oldest entry there is`() async throws {
    let journal = try WrittenJournal(segmentBytes: 8)
    var positions: [Int] = []
    for number in 0..<5 { positions.append(try journal.append("\(number)")) }
    try trimJournal(fileSystem: LocalFileSystem(), directory: journal.directory, before: positions[3])
    let outcome = try await stepgate(journal.command())
    #expect(outcome.status == 0)
    #expect(columns(outcome.output).map { $0[0] } == ["\(positions[3])", "\(positions[4])"])
  }

  @Test func `A torn end is told on stderr, and no failure`() async throws {
    let journal = try WrittenJournal()
    try journal.append("whole")
    let end = 32 + journal.writer.endPosition
    try journal.write([1, 2, 3], to: journal.segment(0))
    let outcome = try await stepgate(journal.command())

    #expect(outcome.status == 0)
    #expect(columns(outcome.output).map { $0[6] } == ["whole"])
    #expect(
      outcome.error
        == "\(journal.segment(0)), byte \(end): the torn end of a write, or one under way: 3 bytes\n")
  }

  @Test func `Damage ends it with 1, after what is before it`() async throws {
    let journal = try WrittenJournal()
    try journal.append("one")
    let second = try journal.append("two")
    try journal.append("three")
    try journal.write([0xFF], to: journal.segment(0), at: 32 + second + 10)
    let outcome = try await stepgate(journal.command())

    #expect(outcome.status == 1)
    #expect(columns(outcome.output).map { $0[6] } == ["one"])
    #expect(
      outcome.error
        == "\(journal.segment(0)) is damaged at byte \(32 + second): no good entry, where one was durable\n")
  }

  @Test func `A missing segment ends it with 1`() async throws {
    let journal = try WrittenJournal(segmentBytes: 8)
    let positions = try (0..<3).map { try journal.append("\($0)") }
    try FileManager.default.removeItem(atPath: journal.segment(positions[1]))
    let outcome = try await stepgate(journal.command())

    #expect(outcome.status == 1)
    #expect(columns(outcome.output).map { $0[6] } == ["0"])
    #expect(
      outcome.error
        == "\(journal.directory) lacks the journal's positions \(positions[1]) to \(positions[2])\n")
  }

  @Test func `A journal that is being written is read, whole entries only, and not changed`() async throws {
    let journal = try WrittenJournal(segmentBytes: 20_000)
    for number in 0..<500 { try journal.append("\(number)") }
    let process = try StepgateProcess(journal.command())
    var count = 500
    let deadline = ContinuousClock.now + .seconds(60)
    while try process.output.isEmpty, ContinuousClock.now < deadline {
      try journal.append("\(count)")
      count += 1
    }
    #expect(try await process.exitStatus() == 0)
    let shown = columns(try process.output).map { $0[6] }
    #expect(shown.count >= 500)
    #expect(shown == (0..<shown.count).map(String.init))

    let report = try verifyJournal(fileSystem: LocalFileSystem(), directory: journal.directory)
    #expect(report.entries == count)
    #expect(report.problems == [] && report.notes == [])
  }

  @Test func `Without a journal it ends with 74 and one line, and with wrong options with 64`() async throws {
    let folder = try TemporaryFolder()
    for path in [folder.path, "/nowhere"] {
      let outcome = try await stepgate(["journal", "--data", path])
      #expect(outcome.status == 74)
      #expect(outcome.output == "")
      #expect(outcome.error == "\(path) holds no journal\n")
    }
    for wrong in [["--from", "-1"], ["--kind", "unknown"], ["extra"], ["--data", ""]] {
      #expect(try await stepgate(["journal"] + wrong).status == 64)
    }
  }

  @Test func `A reader that goes away is no failure, and a full disk is one`() async throws {
    let journal = try WrittenJournal()
    for _ in 0..<100 { try journal.append(String(repeating: "x", count: 10_000)) }
    let pipe = Pipe()
    let process = try StepgateProcess(journal.command("--payload"), output: pipe.fileHandleForWriting)
    try pipe.fileHandleForWriting.close()
    _ = try pipe.fileHandleForReading.read(upToCount: 1)
    try pipe.fileHandleForReading.close()
    #expect(try await process.exitStatus() == 0)
    #expect(try process.error == "")

    let unwritten = try await stepgate(journal.command(), redirection: ">/dev/full")
    #expect(unwritten.status == 74)
    #expect(unwritten.error == "cannot write to stdout: No space left on device\n")
  }

  @Test func `The help warns that personal data is shown`() async throws {
    let outcome = try await stepgate(["journal", "--help"])
    #expect(outcome.status == 0)
    #expect(outcome.output.contains("PERSONAL DATA"))
  }
}
