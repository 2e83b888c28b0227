// Would the simulation notice? Each bug is planted into all runs, and has to be found by the check that it is for.

import Testing

@Suite struct PlantedBugTests {
  /// How many runs a bug may survive.
  private static let runs = 300

  /// What gives a bug away.
  private static func checks(_ bug: PlantedBug) -> Set<SimulationCheck> {
    switch bug {
    case .acknowledgesAtOnce: [.lost]
    // What vanishes with its name may be an entry, a checkpoint or rows.
    case .skipsFolderSyncs: [.journal, .start]
    case .skipsJournalSyncs: [.journal]
    case .forgetsTablePosition: [.start, .appendOnly]
    case .forgetsRedeliveries: [.twice]
    // Rows are regenerated with settings that were not in force when they were written.
    case .forgetsSettings: [.rows, .start, .appendOnly]
    }
  }

  @Test(arguments: PlantedBug.allCases)
  func `A planted bug is found`(bug: PlantedBug) {
    let first = UInt64.random(in: 0..<1 << 48)
    let runs = runMany(Self.runs, stopAtFailure: true) { number in
      PlannedRun(seed: first &+ UInt64(number), hint: "") { $0.bug = bug }
    }
    let found = Set(runs.failed.keys)
    #expect(!found.isEmpty, "\(bug) survived \(runs.finished) runs from seed \(first) on")
    #expect(found.isSubset(of: Self.checks(bug)), "\(runs.failures)")
    print("\(bug): found in run \(runs.finished) as \(found)")
  }
}
