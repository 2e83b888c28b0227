// Fuzzes what anybody can send: payloads and pieces of customer files. First each of them alone in the parser
// (ParserCheck). Then all together as a script, played twice, with all steps at once and one by one:
// - every record has its verdict;
// - how the steps were cut into batches, and the hash seed, change nothing;
// - every table is made of whole lines, each of them one JSON object;
// - trusted and curated rows are good records of the kinds that they come from.

import Pipeline
import Records

enum PayloadTarget {
  static func run(_ input: FuzzInput) {
    var choices = input.choices
    let behind = choices.byte()
    let settings = ScriptSettings(&choices)
    let steps = input.pieces.map(ScriptStep.init)
    let check = ParserCheck(behind: behind)
    for step in steps {
      if let kind = step.kind { check.run(step.payload, kind) }
    }
    checkScript(settings, steps)
  }

  private static func checkScript(_ settings: ScriptSettings, _ steps: [ScriptStep]) {
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
