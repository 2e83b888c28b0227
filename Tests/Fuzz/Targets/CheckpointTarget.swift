// Fuzzes checkpoints, in four ways:
// - any bytes as the file: refused or, if they happen to be one, used;
// - any bytes as the content, in a file of version 1 that is right around it: refused, or a state with which the
//   engine goes on without a trap;
// - the same in a file of the present version;
// - a script that is interrupted by a checkpoint: the tables are those of the script without it.

import Pipeline
import Records
import SegmentLog
import Storage
import TestSupport

@testable import Playback

enum CheckpointTarget {
  static func run(_ input: FuzzInput) {
    var choices = input.choices
    let way = choices.byte() % 4
    let place = Int(choices.byte())
    let settings = ScriptSettings(&choices)
    let first = input.pieces.first ?? []
    let steps = input.pieces.dropFirst(way == 2 ? 0 : 1).map(ScriptStep.init)
    let position = [0, 48, numberLimit][place % 3]
    switch way {
    case 0: RecoveryCheck(settings, steps, position: position).run(file(of: first, position, version: 1))
    case 3: RecoveryCheck(settings, steps, position: position).run(file(of: first, position))
    case 1: RecoveryCheck(settings, steps, position: position).run(first)
    default: checkInterrupted(settings, steps, at: steps.isEmpty ? 0 : place % steps.count)
    }
  }

  /// A checkpoint file with this content, its checksum right.
  static func file(
    of content: [UInt8], _ position: Int, version: UInt32 = CheckpointFormat.version
  ) -> [UInt8] {
    let file =
      CheckpointFormat.header(position: position, contentBytes: content.count, version: version) + content
    return file + CheckpointFormat.trailer(file.withUnsafeBytes { checksum($0) })
  }

  /// The state of a script's engine.
  static func state(of run: ScriptRun) -> [UInt8] {
    let checkpoint = run.player.checkpoint(remembering: RedeliveryFilter())
    return withExtendedLifetime(checkpoint) { Array(checkpoint.content.bytes) }
  }

  private static func checkInterrupted(_ settings: ScriptSettings, _ steps: [ScriptStep], at cut: Int) {
    let whole = ScriptRun(settings, hashSeed: 1)
    whole.play(steps[...])
    let run = ScriptRun(settings, hashSeed: 2)
    run.play(steps[..<cut])
    let state = state(of: run)
    let resumed = run.resumed(from: state)
    precondition(self.state(of: resumed) == state, "a state that is not what was encoded")
    var next = cut
    PlantedBug.spoil(&next, run.counts)
    resumed.play(steps[next...])
    resumed.check()
    precondition(resumed.counts == whole.counts, "a checkpoint changes verdicts")
    for table in Table.allCases {
      precondition(
        resumed.segments(of: table) == whole.segments(of: table), "a checkpoint changes \(table.name)")
    }
  }
}

extension ScriptRun {
  /// Another engine over the same tables, which goes on from an encoded state.
  fileprivate func resumed(from state: [UInt8]) -> ScriptRun {
    let settings = settingsInForce.player
    do {
      let engine = try state.withUnsafeBytes { bytes in
        let content = try CheckpointContent(
          CheckpointFormat.Content(version: CheckpointFormat.version, bytes: bytes), path: "",
          initial: settings, readSettings: { ScriptSettings(payload: $0).player })
        return try Engine(
          resuming: content.engine, settings: settings.engine, fileSystem: fileSystem,
          dataDirectory: Self.directory)
      }
      let findings = engine.tables.takeFindings()
      precondition(findings.isEmpty, "tables in memory: \(findings)")
      return ScriptRun(
        engine, settingsInForce, fileSystem, clockMs: clockMs, settingsText: player.settingsText)
    } catch { preconditionFailure("a state that was encoded: \(error)") }
  }
}
