// Fuzzes what a disk can hand to the journal: any files under its names.
//
// Reading and opening give typed errors or entries. And:
// - what is read does not depend on how much is read at a time;
// - verifying finds a problem where reading does;
// - a journal that can be read to its end can be written on there, and what is added is read behind it;
// - what opening cuts off was passed over by reading.

enum JournalTarget {
  static func run(_ input: FuzzInput) {
    var choices = input.choices
    let files = JournalFiles(&choices, input.pieces)
    let position = choices.one(of: files.positions)
    _ = JournalRun(files.write()).read(from: position, batchBytes: 64)

    let run = JournalRun(files.write())
    let first = files.basePositions.first ?? 0
    let reading = run.read(from: first, batchBytes: 1)
    precondition(run.read(from: first, batchBytes: 1 << 16) == reading, "batches change what is read")
    run.verify(against: reading)
    guard let end = run.open() else {
      precondition(reading.error != nil, "a journal that can be read cannot be opened")
      return
    }
    if reading.error == nil { precondition(reading.end == end, "opening and reading end elsewhere") }
    run.appendAndReopen(at: end)
    let again = run.read(from: first, batchBytes: 64)
    precondition(again.error == reading.error, "adding entries changed an error")
    guard again.error == nil else { return }
    precondition(again.entries == reading.entries + JournalRun.added, "not the entries that were written")
  }
}
