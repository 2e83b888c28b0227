// Fuzzes what anybody can send: payloads and pieces of customer files. First each of them alone in the parser,
// then all together as a script.

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
    ScriptCheck(settings, steps).run()
  }
}
