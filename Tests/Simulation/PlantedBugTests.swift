// Would the simulation notice? Each bug is planted into many runs, and has to be found by the check that it is for.

import Testing

@Suite struct PlantedBugTests {
  /// How many runs a bug may survive. One in seven, at least, finds it.
  private static let runs = 300

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

  @Test(arguments: PlantedBug.allCases)
  func `A planted bug is found`(bug: PlantedBug) {
    let first = UInt64.random(in: 0..<1 << 48)
    let runs = runMany(Self.runs, until: Self.check(bug)) { number in
      PlannedRun(seed: first &+ UInt64(number), hint: "") { $0.bug = bug }
    }
    #expect(
      runs.failed[Self.check(bug)] != nil, "\(bug) survived \(runs.finished) runs from seed \(first) on")
  }
}
