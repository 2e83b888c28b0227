import ArgumentParser
import Journal
import Storage

struct Journal: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prints what the journal holds, a line an entry.",
    discussion: """
      The lines show PERSONAL DATA: the journal holds everything that arrived, also what consent refuses.

      Columns, with a tab in between: the entry's position, its arrival in UTC, its kind, its MQTT packet id \
      (0 for none), its topic (the path, where it is from a customer file), its payload's bytes (of how many \
      there were, if it was too long and cut), and the beginning of the payload. Control characters are \
      escaped (\\n, \\x1B, \\u{202E}), and so are bytes that are not UTF-8 (\\xFF).

      Only reads, and may run next to the gateway. Tells a torn end of the last write, or one under way, on \
      stderr; ends with 1 at damage, and 'stepgate verify' tells all of it.

      Examples:
        stepgate journal --data /var/lib/stepgate | tail -n 20
        stepgate journal --kind settings --payload
      """)

  @OptionGroup var data: DataDirectory

  @Option(
    help: ArgumentHelp("Begins with the first entry at this position or after it.", valueName: "position"))
  var from = 0

  @Option(help: ArgumentHelp("Only entries of this kind.", valueName: "kind"))
  var kind: JournalEntryKind?

  @Flag(help: "Prints payloads whole.")
  var payload = false

  func validate() throws {
    if from < 0 { throw ValidationError("--from takes a number from 0.") }
  }

  func run() throws {
    let fileSystem = LocalFileSystem()
    let segments = try inputOutput { () throws(StorageError) in
      try journalSegmentPositions(fileSystem: fileSystem, directory: data.journal)
    }
    guard let oldest = segments.first else {
      printMessage("\(data.path) holds no journal")
      throw ExitStatus.inputOutputFailed
    }
    let reader = try reading { () throws(JournalError) in
      try JournalReader(
        fileSystem: fileSystem, directory: data.journal, from: segments.last { $0 <= from } ?? oldest)
    }
    try printEntries(of: reader)
    if let torn = reader.tornTail {
      printMessage(
        "\(torn.path), byte \(torn.byte): the torn end of a write, or one under way: \(torn.bytes) bytes")
    }
  }

  private func printEntries(of reader: JournalReader) throws(ExitCode) {
    let entries = EntryBuffer()
    while try reading({ () throws(JournalError) in try reader.read(into: entries) }) {
      var lines = JournalLines(payloadLimit: payload ? nil : 100)
      for entry in entries where entry.position ?? 0 >= from && (kind ?? entry.kind) == entry.kind {
        lines.append(entry)
      }
      let bytes = Array(lines.text.utf8)
      let isRead = try bytes.span.bytes.withUnsafeBytes { bytes throws(ExitCode) in
        try writeToStandardOutput(bytes)
      }
      guard isRead else { return }
    }
  }
}

extension DataDirectory {
  /// The folder of the gateway's journal.
  var journal: String { DataFolder(path).journal }
}

/// What reads the journal, or the command's end with the reason on stderr.
private func reading<Result>(_ operation: () throws(JournalError) -> Result) throws(ExitCode) -> Result {
  do throws(JournalError) {
    return try operation()
  } catch {
    printMessage(error.description)
    if case .storage = error { throw ExitStatus.inputOutputFailed }
    throw ExitStatus.foundSomethingWrong
  }
}

extension JournalEntryKind: ExpressibleByArgument {
  public init?(argument: String) {
    guard let kind = Self.allCases.first(where: { $0.name == argument }) else { return nil }
    self = kind
  }

  public static var allValueStrings: [String] { allCases.map(\.name) }

  var name: String {
    switch self {
    case .message: "message"
    case .customerFile: "customer-file"
    case .settings: "settings"
    case .sessionGap: "session"
    }
  }
}
