// One small run, and in it a fault at every single change to the disk.
//
// The gateway is killed while it works, so that the next start has something to play and compare, and then lives to
// the end. The fault strikes wherever its number falls: in a life, in a start, or in a stop.

import TestSupport
import Testing

@Suite struct ExhaustiveCutTests {
  /// What dies when the gateway does, the first time and after, and with what seeds of the disk: they decide how much
  /// of a write is there, and what a dead machine keeps.
  private static func variants(_ fault: SimulatedDisk.Fault) -> [(crashes: [Crash], diskSeeds: Range<UInt64>)]
  {
    switch fault {
    case .crashBefore: [([.process], 0..<1), ([.machineLosingAll], 0..<1), ([.machine], 0..<2)]
    case .crashWithin: [([.process], 0..<2), ([.machine], 0..<2)]
    // What a failed sync left unknown shows when the machine dies, at once or later.
    default: [([.process], 0..<1), ([.machine], 0..<2), ([.process, .machine], 0..<2)]
    }
  }

  private static func makeSmall(_ plan: inout SimulationPlan, _ crashes: [Crash]) {
    plan.world.messages.removeLast(max(0, plan.world.messages.count - 14))
    plan.customerFile = []
    plan.lives = crashes.count
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

  private static let suitable = Result { try findSuitableSeed() }

  private static func findSuitableSeed() throws -> UInt64 {
    for seed in 0..<UInt64(500) {
      let simulation = try Simulation(seed: seed) { makeSmall(&$0, [.process]) }
      try simulation.run()
      if suits(simulation) { return seed }
    }
    preconditionFailure("no run is small and has all that matters")
  }

  // What a sync had failed to write while the journal was opened, the next start must not take for written.
  @Test func `A sync of the journal that fails at the start after a crash costs nothing`() async throws {
    let (pairs, failures) = try await onOwnThread {
      let seed = try Self.suitable.get()
      var pairs = 0
      var failures: [String] = []
      for diskSeed in 0..<UInt64(4) {
        for first in try Self.journalSyncs(seed, diskSeed, [:]) {
          let cut = [first: SimulatedDisk.Fault.crashBefore]
          guard let second = try Self.journalSyncs(seed, diskSeed, cut).first(where: { $0 > first })
          else { continue }
          pairs += 1
          let cuts = cut.merging([second: .failure]) { $1 }
          if let failure = try Self.failure(seed, diskSeed, cuts) { failures.append(failure) }
        }
      }
      return (pairs, failures)
    }
    #expect(pairs > 20 && failures == [])
  }

  /// What is wrong with a run of a crash and a failed sync; nil if nothing is.
  private static func failure(
    _ seed: UInt64, _ diskSeed: UInt64, _ cuts: [Int: SimulatedDisk.Fault]
  ) throws -> String? {
    let simulation = try thrice(seed, diskSeed, cuts)
    let run = "seed \(seed), disk \(diskSeed), changes \(cuts)"
    do throws(SimulationFailure) { try simulation.run() } catch { return "\(run): \(error)" }
    let struck = simulation.coverage[.crashBeforeOperation] == 1 && simulation.coverage[.failedSync] == 1
    return struck ? nil : "\(run): a fault did not strike"
  }

  /// A run whose process dies twice, and then the machine.
  private static func thrice(
    _ seed: UInt64, _ diskSeed: UInt64, _ cuts: [Int: SimulatedDisk.Fault]
  ) throws -> Simulation {
    try Simulation(seed: seed) {
      makeSmall(&$0, [.process, .process, .machine])
      $0.diskSeed = diskSeed
      $0.cuts = cuts
    }
  }

  /// The numbers of the changes that are syncs of the journal.
  private static func journalSyncs(
    _ seed: UInt64, _ diskSeed: UInt64, _ cuts: [Int: SimulatedDisk.Fault]
  ) throws -> [Int] {
    let simulation = try thrice(seed, diskSeed, cuts)
    simulation.disk.notesMutations = true
    try simulation.run()
    let names = simulation.disk.mutationNames
    return names.indices.filter { names[$0].contains(": sync /data/journal") }.map { $0 + 1 }
  }

  @Test(arguments: [SimulatedDisk.Fault.crashBefore, .crashWithin, .failure])
  func `A fault at any change to the disk costs nothing`(fault: SimulatedDisk.Fault) async throws {
    let seed = try Self.suitable.get()
    for (crashes, diskSeeds) in Self.variants(fault) {
      for diskSeed in diskSeeds { try await strikeEverywhere(seed, fault, crashes, diskSeed) }
    }
  }

  private func strikeEverywhere(
    _ seed: UInt64, _ fault: SimulatedDisk.Fault, _ crashes: [Crash], _ diskSeed: UInt64
  ) async throws {
    let plan = { @Sendable (plan: inout SimulationPlan) in
      Self.makeSmall(&plan, crashes)
      plan.diskSeed = diskSeed
    }
    let undisturbed = try Simulation(seed: seed, change: plan)
    try undisturbed.run()
    let count = undisturbed.mutationsUntilTheEnd
    let runs = try await runMany(count) { number in
      let hint = "seed \(seed), disk \(diskSeed), \(fault) at change \(number + 1), then \(crashes)"
      return PlannedRun(seed: seed, hint: hint) {
        plan(&$0)
        $0.cuts = [number + 1: fault]
      }
    }
    for failure in runs.failures { Issue.record("\(failure)") }
    let coverage = runs.coverage
    let struck =
      switch fault {
      case .crashBefore: coverage[.crashBeforeOperation]
      case .crashWithin: coverage[.crashWithinOperation]
      default: coverage[.failedOperation] + coverage[.failedSync]
      }
    // Up to its fault a run is the undisturbed one.
    #expect(struck == count && runs.finished == count)
  }
}
