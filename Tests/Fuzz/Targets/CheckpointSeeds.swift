// States of the payload's scripts, and those scripts themselves.

import Playback
import Records

extension CheckpointTarget {
  static var seeds: [(name: String, bytes: [UInt8])] {
    let scripts = PayloadTarget.seeds.map { (name: $0.name, input: $0.bytes.withUnsafeBytes(FuzzInput.init)) }
    return [
      ("nothing", FuzzInput.bytes([], [])),
      ("empty file", FuzzInput.bytes([1], [[]])),
      ("file", FuzzInput.bytes([1], [file(of: content(scripts[0].input), 0)])),
    ]
      + scripts.flatMap { name, input in
        let settings = settings(input)
        return [
          ("state of \(name)", FuzzInput.bytes([3, 0] + settings, [content(input)] + input.pieces)),
          ("interrupted \(name)", FuzzInput.bytes([2, 1] + settings, input.pieces)),
        ]
      }
  }

  /// The choices of settings that are in a script's input behind another one.
  private static func settings(_ input: FuzzInput) -> [UInt8] {
    var choices = input.choices
    _ = choices.byte()
    return (0..<ScriptSettings.choiceCount).map { _ in choices.byte() }
  }

  private static func content(_ input: FuzzInput) -> [UInt8] {
    var choices = Choices(settings(input))
    let run = ScriptRun(ScriptSettings(&choices), hashSeed: 1)
    run.play(input.pieces.map(ScriptStep.init)[...])
    return state(of: run)
  }
}
