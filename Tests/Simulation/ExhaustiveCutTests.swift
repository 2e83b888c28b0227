// One small run, and in it a fault at every single change to the disk.
//
// The gateway lives twice: the first time it is killed while it works, so that the second start has something to play
// and compare. The fault strikes wherever its number falls: in the first life, in the second start, or later.

import TestSupport
import Testing

@Suite struct ExhaustiveCutTests {
  /// What dies when the gateway does: the first time, and after.
  private static let crashes: [[Crash]] = [
    [.process], [.machineLosingAll], [.machine], [.process, .machine],
  ]

  // Small, and all that matters happens in it: rows in most tables, checkpoints, trimming, sealed segments.
  private static func plan(_ plan: inout SimulationPlan, _ crashes: [Crash]) {
    plan.world.messages.removeLast(max(0, plan.world.messages.count - 24))
    plan.customerFile = []
    plan.lives = 1
    plan.killedAtTurn = 40
    plan.turnsInALife = 1_000...1_000
    plan.rates = .none
    plan.minFreeBytes = 0
    plan.newSettings = 0
    plan.engineLag = 2
    plan.checkpointLag = 2
    plan.crashes = crashes
  }

  @Test(arguments: [SimulatedDisk.Fault.crashBefore, .crashWithin, .failure])
  func `A fault at any change to the disk costs nothing`(fault: SimulatedDisk.Fault) throws {
    for crashes in Self.crashes {
      let undisturbed = try Simulation(seed: Self.seed) { Self.plan(&$0, crashes) }
      try undisturbed.run()
      #expect(undisturbed.coverage[.checkpointUsed] > 0 && undisturbed.coverage[.journalPlayed] > 0)
      #expect(undisturbed.coverage[.journalTrimmed] > 0 && undisturbed.coverage[.pair] > 0)
      let runs = runMany(undisturbed.mutationsUntilTheEnd) { number in
        PlannedRun(seed: Self.seed, hint: "\(fault) at change \(number + 1), then \(crashes)") {
          Self.plan(&$0, crashes)
          $0.cut = (mutation: number + 1, fault: fault)
        }
      }
      for failure in runs.failures { Issue.record("\(failure)") }
      let struck: SimulationEvent =
        switch fault {
        case .crashBefore: .crashBeforeOperation
        case .crashWithin: .crashWithinOperation
        default: .failedOperation
        }
      #expect(runs.coverage[struck] > 0 && runs.finished == undisturbed.mutationsUntilTheEnd)
    }
  }

  private static let seed: UInt64 = 4
}
