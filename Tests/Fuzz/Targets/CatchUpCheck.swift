// Feeds a table its rows once more, as after a crash:
// - from the beginning on, whatever was on the disk, the table ends up with those rows, then those that were
//   there besides, then new ones, and nothing is wrong with it (unless with what was there besides);
// - from a position in a good table on, its own rows find nothing wrong but a torn end, and change nothing else.

import SegmentLog
import Storage
import TestSupport

struct CatchUpCheck {
  /// The rows are those on the disk, not some of their own.
  private let rowsAreThere: Bool
  /// All rows but these last ones are fed.
  private let withheld: Int
  private let place: Int

  init(_ choices: inout Choices) {
    rowsAreThere = !choices.flag()
    withheld = Int(choices.byte() % 4)
    place = Int(choices.byte())
  }

  func run(_ files: TableFiles, rows text: [UInt8]) {
    // Feeding all rows before it would take too long.
    guard files.firstOffset < 100 else { return }
    let lost = (0..<files.firstOffset).map { Row("\($0)\n".utf8) }
    let there = files.segments.flatMap { TableRun.rows(of: $0.bytes) }
    let rows = rowsAreThere ? lost + there : TableRun.rows(of: text)
    feedAll(files, rows.dropLast(withheld))

    let isGood = TableRun(files.write()).verify().problems.isEmpty
    let position = files.positions[place % files.positions.count]
    if isGood { feedRest(files, lost + there, from: position) }
  }

  private func feedAll(_ files: TableFiles, _ rows: ArraySlice<Row>) {
    let run = TableRun(files.write())
    let unexplained: Int
    let findings: [RecoveryFinding]
    do {
      let writer = try run.resume(at: .start)
      for row in rows { try writer.append(row) }
      unexplained = try writer.endCatchUp()
      precondition(!writer.isCatchingUp, "after the end of all that is there")
      findings = writer.takeFindings()
      for row in TableRun.added { try writer.append(row) }
      try writer.close()
    } catch { preconditionFailure("a table in memory: \(error)") }
    // Damage behind the rows that were fed stays.
    if findings.contains(where: { $0.outcome == .leftInPlace }) { return }
    let reading = run.tail(from: files.firstOffset)
    if let error = reading.error { preconditionFailure("a table that was recovered: \(error)") }
    let expected = rows.dropFirst(files.firstOffset)
    precondition(reading.rows.starts(with: expected), "not the rows that were made once more")
    precondition(
      reading.rows.suffix(TableRun.added.count) == TableRun.added[...], "the new rows are not last")
    precondition(
      reading.rows.count == expected.count + unexplained + TableRun.added.count, "rows miscounted")
    let problems = run.verify().problems
    precondition(problems.isEmpty, "a table that was recovered is damaged: \(problems)")
  }

  private func feedRest(_ files: TableFiles, _ rows: [Row], from position: TablePosition) {
    let run = TableRun(files.write())
    do {
      let writer = try run.resume(at: position)
      precondition(writer.endOffset == position.offset, "resumed elsewhere")
      for row in rows[position.offset...] { try writer.append(row) }
      let unexplained = try writer.endCatchUp()
      precondition(unexplained == 0, "rows that were made once more are unexplained")
      for finding in writer.takeFindings() {
        guard case .cut = finding.outcome else { preconditionFailure("a good table: \(finding)") }
      }
      try writer.close()
    } catch { preconditionFailure("a table in memory: \(error)") }
    precondition(run.tail(from: files.firstOffset).rows == rows[files.firstOffset...].map { $0 })
  }
}
