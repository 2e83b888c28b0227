// What `verify` found in all tables, for people.

import Pipeline
import SegmentLog
import Storage

struct VerifySummary {
  private(set) var tableCount = 0
  private(set) var bytes = 0
  /// Damage, a line each.
  private(set) var problems: [String] = []
  /// What is no damage but worth knowing, a line each.
  private(set) var notes: [String] = []
  private var rows = 0
  private var table = SummaryTable(heading: ["table", "rows", "segments", "bytes", "result"])

  mutating func add(_ name: Table, _ report: TableReport) {
    tableCount += 1
    bytes += report.bytes
    rows += report.rows
    problems += report.problems.map(\.description)
    notes += report.notes.map(\.description)
    table.append([
      .text(name.name), .number(Int64(report.rows)), .number(Int64(report.segments)),
      .number(Int64(report.bytes)), .text(Self.result(report.problems.count)),
    ])
  }

  /// A table whose folder is there and cannot be listed.
  mutating func addUnreadable(_ name: Table, _ error: StorageError) {
    tableCount += 1
    problems.append(error.description)
    table.append([.text(name.name), .text(""), .text(""), .text(""), .text("unreadable")])
  }

  /// Landing tables are only there where they were asked for; the gateway creates all others.
  mutating func addMissing(_ name: Table, directory: String) {
    if !name.isOptional { notes.append("\(directory) is not there") }
  }

  /// A line a table, a line a problem or note, and one for all.
  var text: String {
    let findings = problems.map { "problem: \($0)\n" } + notes.map { "note: \($0)\n" }
    let totals = [counted(tableCount, "table"), counted(rows, "row"), counted(bytes, "byte")]
    let total = "\(totals.joined(separator: ", ")): \(Self.result(problems.count))\n"
    return "\(table.text)\n\(findings.joined())\(total)"
  }

  private static func result(_ problemCount: Int) -> String {
    problemCount == 0 ? "ok" : counted(problemCount, "problem")
  }
}

private func counted(_ count: Int, _ noun: String) -> String {
  "\(withThousandsSeparators(Int64(count))) \(noun)\(count == 1 ? "" : "s")"
}
