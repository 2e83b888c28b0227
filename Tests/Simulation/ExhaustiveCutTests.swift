// One small run, and in it a fault at every single change to the disk.
//
// The gateway lives twice: the first time it is killed while it works, so that the second start has something to play
// and compare. The fault strikes wherever its number falls: in the first life, in the second start, or later.

import TestSupport
import Testing

@Suite struct ExhaustiveCutTests {
  /// What dies when the gateway does: the first time, and after.
  private static func crashes(_ fault: SimulatedDisk.Fault) -> [[Crash]] {
    switch fault {
    case .crashBefore: [[.process], [.machineLosingAll], [.machine]]
    case .crashWithin: [[.process], [.machine]]
    // What a failed sync left unknown shows when the machine dies later.
    default: [[.process], [.process, .machine]]
    }
  }

  private static func makeSmall(_ plan: inout SimulationPlan, _ crashes: [Crash]) {
    plan.world.messages.removeLast(max(0, plan.world.messages.count - 14))
    plan.customerFile = []
    plan.lives = 1
    plan.killedAtTurn = 15
    plan.turnsInALife = 1_000...1_000
    plan.rates = .none
    plan.minFreeBytes = 0
    plan.newSettings = 0
    plan.engineLag = 2
    plan.checkpointLag = 2
    plan.crashes = crashes
  }

  // Small, but with all that matters: a start from a checkpoint that plays the journal behind it, segments that are
  // sealed, and some of the journal that are removed.
  private static func suits(_ simulation: Simulation) -> Bool {
    let needed: [SimulationEvent] = [.checkpointUsed, .journalPlayed, .journalTrimmed, .segmentSealed]
    return needed.allSatisfy { simulation.coverage[$0] > 0 } && simulation.mutationsUntilTheEnd < 300
  }

  private static func suitableSeed() throws -> UInt64 {
    for seed in 0..<UInt64(500) {
      let simulation = try Simulation(seed: seed) { makeSmall(&$0, [.process]) }
      try simulation.run()
      if suits(simulation) { return seed }
    }
    preconditionFailure("no run is small and has all that matters")
  }

  @Test(arguments: [SimulatedDisk.Fault.crashBefore, .crashWithin, .failure])
  func `A fault at any change to the disk costs nothing`(fault: SimulatedDisk.Fault) throws {
    let seed = try Self.suitableSeed()
    for crashes in Self.crashes(fault) {
      let undisturbed = try Simulation(seed: seed) { Self.makeSmall(&$0, crashes) }
      try undisturbed.run()
      let count = undisturbed.mutationsUntilTheEnd
      let runs = runMany(count) { number in
        PlannedRun(seed: seed, hint: "seed \(seed), \(fault) at change \(number + 1), then \(crashes)") {
          Self.makeSmall(&$0, crashes)
          $0.cut = (mutation: number + 1, fault: fault)
        }
      }
      for failure in runs.failures { Issue.record("\(failure)") }
      let coverage = runs.coverage
      let struck: Int =
        switch fault {
        case .crashBefore: coverage[.crashBeforeOperation]
        case .crashWithin: coverage[.crashWithinOperation]
        default: coverage[.failedOperation] + coverage[.failedSync]
        }
      // A run's last changes may not come any more once it went another way.
      #expect(struck > count * 9 / 10 && runs.finished == count)
    }
  }
}
