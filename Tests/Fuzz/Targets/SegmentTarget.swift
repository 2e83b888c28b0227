// Fuzzes what a disk can hand to a table: any segments and checksum files under its names.
//
// Verifying, tailing and opening give typed errors or rows. Where verifying finds nothing wrong:
// - a tail gives whole rows, each once, from wherever it begins;
// - the table can be written on; no row that a tail has given changes, and those that are added follow;
// - after that it still has nothing wrong with it, and nothing is without a checksum.
// Feeding the table its rows once more: CatchUpCheck.

import Storage
import TestSupport

@testable import SegmentLog

enum SegmentTarget {
  static func run(_ input: FuzzInput) {
    var choices = input.choices
    let catchUp = CatchUpCheck(&choices)
    let start = Int(choices.byte())
    let files = TableFiles(&choices, input.pieces)
    checkOpening(files, start)
    catchUp.run(files, rows: input.pieces.last ?? [])
  }

  private static func checkOpening(_ files: TableFiles, _ start: Int) {
    let run = TableRun(files.write())
    let first = files.firstOffset
    let isGood = run.verify().problems.isEmpty
    let all = run.tail(from: first)
    let some = run.tail(from: first + start)
    if isGood {
      precondition(all.error == nil, "a good table that cannot be read")
      precondition(all.rows.count == run.endOffset().map { $0 - first } ?? 0, "rows miscounted")
      precondition(some.rows == Array(all.rows.dropFirst(start)), "the start changes the rows")
    }
    guard let end = run.open() else {
      precondition(!isGood, "a good table that cannot be opened")
      return
    }
    run.appendAndReopen(at: end)
    guard isGood else { return }
    precondition(end == first + all.rows.count, "opening and reading end elsewhere")
    let again = run.tail(from: first)
    precondition(again.rows == all.rows + TableRun.added, "not the rows that were there, and the new ones")
    let report = run.verify()
    precondition(report.problems.isEmpty && report.rows == again.rows.count, "writing damaged the table")
  }
}
