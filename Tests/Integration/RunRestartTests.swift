// A gateway that stops, or is killed, and goes on: what is there stays, what was published is there, once.

import Foundation
import TestSupport
import Testing

extension RunTests {
  @Suite struct Restart {
    /// The bytes of every segment and sidecar of the tables.
    private func files(_ fixture: GatewayFixture) throws -> [String: Data] {
      let paths = try FileManager.default.subpathsOfDirectory(atPath: fixture.data)
        .filter { $0.hasSuffix(".ndjson") && !$0.hasSuffix("current.ndjson") }
      return try Dictionary(
        uniqueKeysWithValues: paths.map { ($0, try Data(contentsOf: URL(filePath: "\(fixture.data)/\($0)"))) }
      )
    }

    private func expectOnlyAppended(_ before: [String: Data], _ after: [String: Data]) {
      for (path, bytes) in before {
        let isPrefix = after[path]?.starts(with: bytes) ?? false
        #expect(isPrefix, "\(path) changed")
      }
    }

    @Test func `A restart changes no byte that was written, and only appends what is new`() async throws {
      let landing = try MadeUpLanding(seed: 10)
      let more = try MadeUpLanding(seed: 11)
      let broker = try PrivateBroker()
      let fixture = try GatewayFixture(broker, settings: MadeUpLanding.settings)
      fixture.settings["storage.segment_bytes"] = "16KiB"
      var gateway = try await fixture.startAndConnect()
      try await simulate(landing, broker)
      try await gateway.receives(landing.recordCount)
      try await gateway.stop()
      let first = try files(fixture)
      #expect(first.count > 10)

      // Nothing new: nothing changes, and the state is there again.
      gateway = try await fixture.startAndConnect()
      #expect(try await gateway.received() == landing.recordCount)
      try await gateway.stop()
      #expect(try files(fixture).filter { !$0.value.isEmpty } == first.filter { !$0.value.isEmpty })

      gateway = try await fixture.startAndConnect("--summary", "json")
      // The same readings once more are repeats of those that wait, and others are new.
      try await simulate(landing, broker)
      try await simulate(more, broker)
      let total = 2 * landing.recordCount + more.recordCount
      try await gateway.receives(total)
      let summary = try RunSummary(await gateway.stop())
      let second = try files(fixture)
      expectOnlyAppended(first, second)
      #expect(second.count > first.count)
      #expect(summary.total == total)
      #expect(try await stepgate(["verify", "--data", fixture.data]).status == 0)
    }

    @Test func `Readings that come while it is away wait with the broker`() async throws {
      let landing = try MadeUpLanding(seed: 12)
      let expected = try await landing.replayed()
      let broker = try PrivateBroker()
      let fixture = try GatewayFixture(broker, settings: MadeUpLanding.settings)
      try await fixture.startAndConnect().stop()
      try await simulate(landing, broker)
      let gateway = try await fixture.startAndConnect()
      try await gateway.receives(landing.recordCount)
      try await gateway.stop()
      expectSameRows(try fixture.tables(), expected.tables)
    }

    @Test(arguments: [UInt64(13), 14])
    func `Killed again and again while readings come, it loses none and writes none twice`(
      seed: UInt64
    ) async throws {
      let landing = try MadeUpLanding(seed: seed, malformed: false)
      let expected = try await landing.replayed()
      let broker = try PrivateBroker()
      let fixture = try GatewayFixture(broker, settings: MadeUpLanding.settings)
      var gateway = try await fixture.startAndConnect()
      let simulator = try StepgateProcess(
        ["simulate", "--broker", "127.0.0.1:\(broker.port)", "--rate", "3000"] + landing.arguments)
      var before = try files(fixture)
      for part in 1...4 {
        try await gateway.receives(landing.recordCount * part / 6)
        try await gateway.crash()
        let after = try files(fixture)
        expectOnlyAppended(before, after)
        before = after
        gateway = try await fixture.startAndConnect()
      }
      let status = try await simulator.exitStatus()
      let said = try simulator.error
      #expect(status == 0, "\(said)")
      try await fixture.catchesUp(with: broker, gateway)
      try await gateway.stop()

      expectOnlyAppended(before, try files(fixture))
      expectSameRows(try fixture.tables(), expected.tables)
      #expect(try await stepgate(["verify", "--data", fixture.data]).status == 0)
    }
  }
}
