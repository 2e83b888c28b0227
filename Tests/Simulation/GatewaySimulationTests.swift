// The gateway as a whole, and the faults it survives. In each run some of them strike, at random moments:
//
// - the process dies between two operations, before or in the middle of any change to a file, and while it recovers;
// - the machine dies, and keeps none, all or any part of what was not synced: files cut anywhere, sectors of zeros or
//   garbage, later writes without earlier ones, files that lost their names or got removed ones back;
// - any change to a file, any sync and any read fails with EIO; after a failed sync of the journal or of a
//   checkpoint the kernel takes for written what the disk does not have;
// - the disk runs full in the middle of a write, and has room again, or not before the gateway is told to stop; less
//   room is left than is to be left free;
// - the newest checkpoint is damaged while the gateway is down;
// - syncs are slow, the engine lags behind, a checkpoint is written long after it was made;
// - the broker breaks connections, with any part of what is on its way, refuses new ones, sends messages again,
//   loses its session while the gateway is connected or down; its packet ids start anew;
// - devices send twice, in any order, late and malformed, and say the same as others;
// - the gateway is told to stop at any time, also while it recovers, and starts with other settings;
// - the clock is set to another time.
//
// Whatever of it happened: when the gateway has drained the broker in peace, SimulationChecks.swift finds all as if
// nothing had. Known limits that are let pass are explained in SessionCount.swift and SimulatedFile.swift.

import Testing

@Suite struct GatewaySimulationTests {
  // Always the same ones, so that what passed once passes again; "make soak" draws others.
  private static let firstSeed: UInt64 = 1_000
  /// So many runs see every kind of fault.
  private static let seeds = 2_000

  @Test func `Whatever fails, nothing is lost, nothing is written twice, and readers see every row once`()
    async throws
  {
    if let seed = number(inEnvironment: "STEPGATE_SIM_SEED") { return try tell(seed) }
    let first = number(inEnvironment: "STEPGATE_SIM_FIRST") ?? Self.firstSeed
    let count = number(inEnvironment: "STEPGATE_SIM_SEEDS").map { Int($0) } ?? Self.seeds
    print("simulation: \(count) seeds from \(first) on")
    let runs = try await runMany(count, tells: count > Self.seeds) { PlannedRun(seed: first &+ UInt64($0)) }
    for failure in runs.failures { Issue.record("\(failure)") }
    #expect(runs.failed == [:] && runs.finished == count)
    print("simulation: seeds from \(first) on, \(runs.progress)\n\(runs.coverage.summary)")
    if count >= Self.seeds { #expect(runs.coverage.missing == [], "faults that never struck") }
  }

  @Test func `A seed repeats its run`() throws {
    for seed in 1...UInt64(20) {
      let runs = try (0..<2).map { _ in
        let simulation = try Simulation(seed: seed)
        var lines: [String] = []
        simulation.tell = { lines.append($0) }
        simulation.disk.notesMutations = true
        try simulation.run()
        return lines + simulation.disk.mutationNames
      }
      #expect(runs[0] == runs[1], "seed \(seed)")
    }
  }

  /// Runs one seed and prints what happens.
  private func tell(_ seed: UInt64) throws {
    let simulation = try Simulation(seed: seed)
    print("\(simulation.plan)")
    simulation.tell = { print($0) }
    try simulation.run()
  }
}
