import ArgumentParser
import Records
import SegmentLog
import Storage

struct Tail: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prints the rows of a table, and with --follow those to come.",
    discussion: """
      Prints whole rows only, across segments, never one twice and never with a gap. A row's offset is its \
      number in its table, from 0; a reader that remembers the next one can go on from there. With --follow \
      it waits for rows, and for a table that is not there yet, until it is interrupted or nobody reads its \
      output.

      Examples:
        stepgate tail machine_learning_curated --follow
        stepgate tail step_trainer_trusted --from-offset 0 --lines 1000
      """)

  private static let defaultLines = 10

  @Argument(help: "The table.")
  var table: Table

  @OptionGroup var data: DataDirectory

  @Flag(help: "Goes on with the rows to come, until it is interrupted.")
  var follow = false

  @Option(
    help: ArgumentHelp(
      "How many rows: the last N, or the first N from --from-offset on (default: the last 10, or all).",
      valueName: "n"))
  var lines: Int?

  @Option(help: ArgumentHelp("The offset of the first row to print.", valueName: "n"))
  var fromOffset: Int?

  func validate() throws {
    if let lines, lines < 0 { throw ValidationError("--lines takes a number from 0.") }
    if let fromOffset, fromOffset < 0 { throw ValidationError("--from-offset takes a number from 0.") }
  }

  func run() throws {
    if follow { FollowPause.endOnInterruption() }
    let reader = TableReader(fileSystem: LocalFileSystem(), directory: table.directory(in: data.path))
    let isThere = try inputOutput { () throws(SegmentLogError) in try reader.firstOffset() != nil }
    guard follow || isThere else {
      printMessage("\(data.path) holds no table \(table.name); --follow waits for it")
      throw ExitStatus.inputOutputFailed
    }
    try printRows(of: firstRows(reader))
  }

  private func firstRows(_ reader: TableReader) throws(ExitCode) -> TableTail {
    if let fromOffset { return reader.rows(from: fromOffset) }
    return try inputOutput { () throws(SegmentLogError) in
      try reader.rows(last: lines ?? Self.defaultLines)
    }
  }

  /// How many rows to print; nil for all there are, or will be. Without `--follow` a limit keeps rows out
  /// that came after the last ones were counted.
  private var limit: Int? {
    if fromOffset != nil { return lines }
    return follow ? nil : lines ?? Self.defaultLines
  }

  private func printRows(of tail: TableTail) throws(ExitCode) {
    var rowsLeft = limit ?? .max
    var pause = FollowPause()
    while rowsLeft > 0 {
      let chunk = try inputOutput { () throws(SegmentLogError) in try tail.next() }
      if let chunk {
        guard try writeToStandardOutput(chunk.firstRows(rowsLeft)) else { return }
        rowsLeft -= min(rowsLeft, chunk.rowCount)
        pause.reset()
        if follow && FollowPause.isInterrupted { return }
      } else {
        guard follow, pause.wait() else { return }
      }
    }
  }
}

extension RowChunk {
  /// The bytes of its first `count` rows, or of all if there are fewer.
  fileprivate func firstRows(_ count: Int) -> UnsafeRawBufferPointer {
    if count >= rowCount { return bytes }
    var end = bytes.startIndex
    for _ in 0..<count {
      guard let lineFeed = bytes[end...].firstIndex(of: UInt8(ascii: "\n")) else { return bytes }
      end = lineFeed + 1
    }
    return UnsafeRawBufferPointer(rebasing: bytes[..<end])
  }
}

extension Table: ExpressibleByArgument {
  public init?(argument: String) {
    guard let table = Table.named(argument) else { return nil }
    self = table
  }

  public static var allValueStrings: [String] { allCases.map(\.name) }
}
