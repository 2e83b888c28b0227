// A fleet that `stepgate simulate` makes up, of which the verdict of every record is known beforehand.

import Foundation
import Simulator
import TestSupport
import Testing

extension RunTests {
  @Suite struct `Made-up fleet` {
    private static let customers = 40
    private static let readings = 3_000
    private static let seed: UInt64 = 11

    @Test(arguments: [false, true])
    func `Every verdict is given as often as the fleet says`(withIdentityLevels: Bool) async throws {
      let broker = try PrivateBroker()
      let fixture = try GatewayFixture(broker)
      if withIdentityLevels {
        fixture.settings["topics.accelerometer"] = "stedi/accelerometer/{user}"
        fixture.settings["topics.step_trainer"] = "stedi/step_trainer/{serialNumber}"
      }
      let expected = try expectedVerdicts(withIdentityLevels)
      let total = expected.values.reduce(0) { $0 + $1.values.reduce(0, +) }
      #expect(total > Self.customers + Self.readings)

      let gateway = try await fixture.startAndConnect("--summary", "json")
      let simulated = try await stepgate([
        "simulate", "--broker", "127.0.0.1:\(broker.port)", "--customers", "\(Self.customers)", "--readings",
        "\(Self.readings)", "--seed", "\(Self.seed)",
      ])
      #expect(simulated.status == 0, "\(simulated.error)")
      try await gateway.receives(total)
      let summary = try RunSummary(await gateway.stop())

      #expect(summary.occurring == expected)
      #expect(summary.total == total)
      let rejected = try Dictionary(grouping: fixture.rejected()) { $0.reason }.mapValues(\.count)
      for reason in ["malformed", "oversized", "future", "identity_mismatch"] {
        let judged = expected.values.reduce(0) { $0 + $1[reason, default: 0] }
        #expect(rejected[reason, default: 0] == judged, "\(reason)")
      }
      #expect(try await stepgate(["verify", "--data", fixture.data]).status == 0)
    }

    // The simulator's clock is its own; a fleet whose verdicts hang on it would be a bad choice of seed.
    private func expectedVerdicts(_ withIdentityLevels: Bool) throws -> [String: [String: Int]] {
      let nowMs = Int(Date().timeIntervalSince1970 * 1_000)
      let possible = Set(
        stride(from: 0, to: 256, by: 32).map { verdicts(nowMs + $0, withIdentityLevels) })
      try #require(possible.count == 1)
      return try #require(possible.first)
    }

    private func verdicts(_ nowMs: Int, _ withIdentityLevels: Bool) -> [String: [String: Int]] {
      var counts: [String: [String: Int]] = [:]
      let fleet = Fleet(
        customers: Self.customers, readings: Self.readings, seed: Self.seed, nowMs: nowMs)
      for record in fleet.lazy.flatMap(\.records) {
        let verdict = withIdentityLevels ? record.verdictWithIdentityLevels : record.verdict
        counts[record.kind.rawValue, default: [:]][verdict.rawValue, default: 0] += 1
      }
      return counts
    }
  }
}
