// Plays a script twice, with all steps at once and one by one, and checks what came of it:
// - every record has its verdict;
// - how the steps were cut into batches, and the hash seed, change nothing;
// - every table is made of whole lines, each of them one JSON object;
// - trusted and curated rows are good records of the kinds that they come from.

import Pipeline

struct ScriptCheck {
  private let settings: ScriptSettings
  private let steps: [ScriptStep]

  init(_ settings: ScriptSettings, _ steps: [ScriptStep]) {
    self.settings = settings
    self.steps = steps
  }

  func run() {
    let together = ScriptRun(settings, hashSeed: 1)
    together.play(steps[...])
    together.check()
    let oneByOne = ScriptRun(settings, hashSeed: 2)
    for place in steps.indices { oneByOne.play(steps[place...place]) }
    precondition(oneByOne.counts == together.counts, "batches or the hash seed change verdicts")
    for table in Table.allCases {
      precondition(
        oneByOne.segments(of: table) == together.segments(of: table),
        "batches or the hash seed change \(table.name)")
    }
  }
}
