// Would the simulation notice? Each bug is planted into the same runs, which are clean without it, and has to be found
// by the check that it is for.

import Testing

@Suite struct PlantedBugTests {
  /// How many runs a bug may survive.
  private static let runs = 50

  /// What mostly gives a bug away; it may show in other ways too.
  private static func check(_ bug: PlantedBug) -> SimulationCheck {
    switch bug {
    case .acknowledgesAtOnce: .lost
    case .skipsFolderSyncs, .skipsJournalSyncs: .journal
    case .skipsTableSyncs, .skipsCheckpointSyncs, .forgetsTablePosition: .start
    case .forgetsRedeliveries: .twice
    case .forgetsSettings: .rows
    }
  }

  private func run(
    _ count: Int, with bug: PlantedBug?, until check: SimulationCheck? = nil
  ) async throws -> ManyRuns {
    try await runMany(count, until: check) { number in
      PlannedRun(seed: UInt64(number), hint: "seed \(number)") { $0.bug = bug }
    }
  }

  @Test(arguments: PlantedBug.allCases)
  func `A planted bug is found`(bug: PlantedBug) async throws {
    let check = Self.check(bug)
    let runs = try await run(Self.runs, with: bug, until: check)
    #expect(runs.failed[check] != nil, "\(bug) survived \(runs.finished) runs; found were \(runs.failures)")
  }

  @Test func `Without a planted bug the same runs find nothing`() async throws {
    #expect(try await run(Self.runs, with: nil).failures == [])
  }
}
