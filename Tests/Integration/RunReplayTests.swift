// The gateway against `stepgate replay`: the same records over the wire, in whatever order, give the same rows.

import Foundation
import TestSupport
import Testing

extension RunTests {
  @Suite struct `Replay as the measure` {
    @Test(arguments: ["accelerometer-first", "step-trainer-first", "interleaved"])
    func `What is published in any order gives the rows of a replay`(order: String) async throws {
      let landing = try MadeUpLanding(seed: 7)
      let expected = try await landing.replayed()
      for rows in expected.tables.values { #expect(rows.count > 50, "a test of nothing") }
      #expect(expected.rejected.count > 20)

      let broker = try PrivateBroker()
      let fixture = try GatewayFixture(broker, settings: MadeUpLanding.settings)
      let gateway = try await fixture.startAndConnect("--summary", "json")
      let simulated = try await simulate(landing, broker, "--order", order)
      #expect(simulated.error.contains("(\(landing.recordCount) records), all acknowledged"))
      try await gateway.receives(landing.recordCount)
      let summary = try RunSummary(await gateway.stop())

      expectSameRows(try fixture.tables(), expected.tables)
      #expect(try refusals(fixture.rejected()) == refusals(expected.rejected))
      #expect(summary.total == landing.recordCount)
      #expect(try await stepgate(["verify", "--data", fixture.data]).status == 0)
    }

    @Test func `Tail shows the rows of a table that is not there yet, each once, as they come`() async throws
    {
      let landing = try MadeUpLanding(seed: 8)
      let broker = try PrivateBroker()
      let fixture = try GatewayFixture(broker, settings: MadeUpLanding.settings)
      let tail = try StepgateProcess(
        ["tail", "machine_learning_curated", "--follow", "--data", fixture.data])
      try await eventually("tail waits") { tail.handles(SIGTERM) }
      let gateway = try await fixture.startAndConnect()
      try await simulate(landing, broker, "--rate", "4000")
      try await gateway.receives(landing.recordCount)
      try await gateway.stop()

      let table = "\(fixture.data)/curated/machine_learning_curated"
      let bytes = try segmentNames(table).map {
        try String(contentsOfFile: "\(table)/\($0)", encoding: .utf8)
      }
      .joined()
      #expect(bytes.count > 1_000)
      try await eventually("tail has printed the last row") { try tail.output.utf8.count >= bytes.utf8.count }
      tail.send(SIGTERM)
      #expect(try await tail.exitStatus() == 0)
      let isSame = try tail.output == bytes
      #expect(isSame)
    }
  }
}

/// Publishes the files with `stepgate simulate`, to the end.
@discardableResult
func simulate(_ landing: MadeUpLanding, _ broker: PrivateBroker, _ options: String...) async throws -> Outcome
{
  let arguments = ["simulate", "--broker", "127.0.0.1:\(broker.port)"] + landing.arguments + options
  let outcome = try await stepgate(arguments)
  #expect(outcome.status == 0, "\(outcome.error)")
  return outcome
}
