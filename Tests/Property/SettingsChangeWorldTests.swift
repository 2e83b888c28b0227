import Pipeline
import Records
import TestSupport
import Testing

/// The engine against the contract, with settings that change while readings wait, as between restarts.
@Suite struct SettingsChangeWorldTests {
  private static let worlds = 300

  /// Runs a world through engine and oracle, with other settings before some messages.
  /// - Returns: how what came out differs; empty if it does not.
  private func difference(_ world: World, _ changes: [Int: OracleSettings]) throws -> String {
    var oracle = NaiveOracle(world.settings)
    let run = try PipelineRun(EngineSettings(world.settings))
    for (place, message) in world.messages.enumerated() {
      if let settings = changes[place] {
        oracle.apply(settings)
        try run.engine.apply(EngineSettings(settings))
      }
      for (record, text) in message.records {
        oracle.handle(record, text: text, arrivalMs: message.arrivalMs, topic: "t")
      }
      try run.handle([Message(RecordKind(named: message.kind), message.payload, arrivalMs: message.arrivalMs)]
      )
    }
    #expect(run.engine.counts.balance)
    return try Outcome(run).difference(from: Outcome(oracle))
  }

  @Test func `Settings that change give the rows and verdicts of the contract`() throws {
    let seed = testSeed()
    var changed = 0
    for number in 0..<UInt64(Self.worlds) {
      var maker = WorldMaker(seed: seed &+ number)
      let world = maker.live()
      var changes: [Int: OracleSettings] = [:]
      for place in world.messages.indices where maker.random.oneIn(10) {
        changes[place] = maker.liveSettings()
      }
      changed += changes.count
      let difference = try difference(world, changes)
      #expect(difference.isEmpty, "world \(number) of seed \(seed), changes \(changes)\n\(world)")
      if !difference.isEmpty { return }
    }
    #expect(changed > 0)
  }
}
