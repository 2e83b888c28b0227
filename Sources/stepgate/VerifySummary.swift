// What `verify` found in all tables, in the journal and in the checkpoints, for people.

import Journal
import Playback
import Records
import SegmentLog
import Storage

struct VerifySummary {
  /// The bytes of all that was checked.
  private(set) var bytes = 0
  /// Damage, a line each.
  private(set) var problems: [String] = []
  /// What is no damage but worth knowing, a line each.
  private(set) var notes: [String] = []
  private var tableCount = 0
  private var rows = 0
  private var table = SummaryTable(heading: ["table", "rows", "segments", "bytes", "result"])
  private var journalEntries: Int?
  /// What is no table, a line each.
  private var otherLines: [String] = []

  /// Whether there was anything to check.
  var holdsAnything: Bool { tableCount > 0 || !otherLines.isEmpty }

  mutating func add(_ name: Table, directory: String, _ result: Result<TableReport, StorageError>) {
    switch result {
    case .success(let report):
      tableCount += 1
      bytes += report.bytes
      rows += report.rows
      problems += report.problems.map(\.description)
      notes += report.notes.map(\.description)
      table.append([
        .text(name.name), .number(Int64(report.rows)), .number(Int64(report.segments)),
        .number(Int64(report.bytes)), .text(Self.result(report.problems.count)),
      ])
    case .failure(let error) where error.isNotFound:
      // The gateway creates all of these.
      if name.presence == .always { notes.append("\(directory) is not there") }
    case .failure(let error):
      tableCount += 1
      problems.append(error.description)
      table.append([.text(name.name), .text(""), .text(""), .text(""), .text("unreadable")])
    }
  }

  mutating func addJournal(_ result: Result<JournalReport, StorageError>) {
    switch result {
    case .success(let report):
      journalEntries = report.entries
      bytes += report.bytes
      problems += report.problems.map(\.description)
      notes += report.notes.map(\.description)
      let sizes = [
        counted(report.entries, "entry", "entries"), counted(report.segments, "segment"),
        counted(report.bytes, "byte"), "positions \(report.startPosition) to \(report.endPosition)",
      ]
      otherLines.append("journal: \(sizes.joined(separator: ", ")): \(Self.result(report.problems.count))\n")
    case .failure(let error) where error.isNotFound:
      // The tables of a replay have none.
      break
    case .failure(let error):
      problems.append(error.description)
      otherLines.append("journal: unreadable\n")
    }
  }

  mutating func addCheckpoints(_ result: Result<CheckpointReport, StorageError>) {
    switch result {
    case .success(let report):
      bytes += report.bytes
      problems += report.problems
      notes += report.notes
      guard report.checkpoints > 0 else { break }
      let sizes = [counted(report.checkpoints, "checkpoint"), counted(report.bytes, "byte")]
      otherLines.append("\(sizes.joined(separator: ", ")): \(Self.result(report.problems.count))\n")
    case .failure(let error):
      problems.append(error.description)
      otherLines.append("checkpoints: unreadable\n")
    }
  }

  /// A line a table, one for the journal, one for the checkpoints, a line a problem or note, and one for all.
  var text: String {
    let findings = problems.map { "problem: \($0)\n" } + notes.map { "note: \($0)\n" }
    let totals =
      [counted(tableCount, "table"), counted(rows, "row")]
      + (journalEntries.map { [counted($0, "journal entry", "journal entries")] } ?? [])
      + [counted(bytes, "byte")]
    let total = "\(totals.joined(separator: ", ")): \(Self.result(problems.count))\n"
    return "\(table.text)\n\(otherLines.joined())\(findings.joined())\(total)"
  }

  private static func result(_ problemCount: Int) -> String {
    problemCount == 0 ? "ok" : counted(problemCount, "problem")
  }
}

private func counted(_ count: Int, _ noun: String, _ plural: String? = nil) -> String {
  "\(withThousandsSeparators(Int64(count))) \(count == 1 ? noun : plural ?? noun + "s")"
}
