// The real program killed for real: SIGKILL again and again while readings come in, with a real broker and a real
// disk. What is there in the end is what a replay of the same files makes, and what a reader saw all the while.

import Foundation
import TestSupport
import Testing

extension RunTests {
  @Suite struct `Real kills` {
    private static let followed = [
      "trusted/accelerometer_trusted", "trusted/step_trainer_trusted", "curated/machine_learning_curated",
      "quarantine/rejected",
    ]

    /// Small segments, so that tables roll; checkpoints all the time, so that the journal is trimmed; and few
    /// messages at a time, so that what is journaled is soon judged, and kills do not only hit recoveries.
    private static let settings = MadeUpLanding.settings.merging([
      "storage.segment_bytes": "256KiB", "checkpoint.journal_bytes": "1MiB", "checkpoint.interval": "1s",
      "mqtt.receive_maximum": "500",
    ]) { $1 }

    @Test func `Killed 20 times while 200,000 readings come, it loses none and writes none twice`()
      async throws
    {
      let plan = KillPlan(kills: 20, seed: testSeed())
      let landing = try MadeUpLanding(customers: 3_000, readings: 80_000, seed: 20)
      let expected = try await landing.replayed()
      let broker = try PrivateBroker(busyBroker)
      let fixture = try GatewayFixture(broker, settings: Self.settings)
      let followers = try Self.followed.map { try TableFollower($0, of: fixture) }
      // First the gateway: a broker keeps nothing for a session that never was.
      var gateway = try await fixture.startAndConnect()
      let simulator = try StepgateProcess(
        ["simulate", "--broker", "127.0.0.1:\(broker.port)", "--rate", "7000"] + landing.arguments)
      var killsWhilePublishing = 0
      for kill in plan.kills {
        try await wait(for: kill, gateway, fixture, expected.tables)
        try await gateway.crash()
        killsWhilePublishing += simulator.isRunning ? 1 : 0
        expectNoErrors(gateway)
        gateway = try fixture.start("--summary", "json")
      }
      print("\(killsWhilePublishing) of \(plan.kills.count) kills while readings were published")
      let status = try await simulator.exitStatus()
      let said = try simulator.error
      #expect(status == 0, "\(said)")
      try await gateway.says("; subscribed")
      try await gateway.receives(landing.recordCount)
      let outcome = try await gateway.stop()
      expectNoErrors(gateway)
      // It began with a checkpoint, and what comes before the older one is gone.
      let journalEnd = try #require(try fixture.positions(in: "checkpoint").last)
      #expect(try gateway.bytesPlayed < journalEnd / 2)
      #expect(try fixture.positions(in: "journal")[0] > 0)

      for follower in followers { try await follower.expectTable() }
      try await fixture.expectEverything(of: expected, in: outcome)
    }

    private func wait(
      for kill: KillPlan.Kill, _ gateway: RunningGateway, _ fixture: GatewayFixture,
      _ expected: [String: [String]]
    ) async throws {
      if let share = kill.shareOfRows {
        let tables = ["trusted/accelerometer_trusted", "trusted/step_trainer_trusted"]
        let all = tables.reduce(0) { $0 + expected[$1, default: []].reduce(0) { $0 + $1.utf8.count + 1 } }
        try await gateway.eventually("\(share) of all rows are there") {
          try tables.reduce(0) { try $0 + fixture.bytes(of: $1) } >= Int(share * Double(all))
        }
      }
      try await Task.sleep(for: kill.delay)
    }

    // A killed process leaves nothing behind that the next one has to complain of: the machine went on.
    private func expectNoErrors(_ gateway: RunningGateway) {
      let errors = (try? gateway.log.filter { $0.contains(" error ") || $0.contains(" critical ") }) ?? []
      #expect(errors.isEmpty)
    }
  }
}

/// When to kill, as a seed has it.
private struct KillPlan {
  struct Kill {
    /// Once so much of all rows is there; nil is without regard to it, while the gateway starts.
    var shareOfRows: Double?
    /// And then so much later: rows that have just come must not be the only moment there is.
    var delay: Duration
  }

  private(set) var kills: [Kill] = []

  /// Spread over the whole run; every fifth comes right behind another.
  init(kills count: Int, seed: UInt64) {
    var random = SeededRandom(seed: seed)
    for number in 0..<count {
      if number % 5 == 4 {
        let delay = Duration.microseconds(Int.random(in: 0..<400_000, using: &random))
        kills.append(Kill(shareOfRows: nil, delay: delay))
      } else {
        let share = (Double(number) + Double.random(in: 0..<1, using: &random)) / Double(count)
        let delay = Duration.microseconds(Int.random(in: 0..<20_000, using: &random))
        kills.append(Kill(shareOfRows: share, delay: delay))
      }
    }
  }
}

/// A broker that takes many messages at a time.
var busyBroker: PrivateBroker.Options {
  var options = PrivateBroker.Options()
  options.isQuiet = true
  options.maxInflightMessages = 1_000
  return options
}
