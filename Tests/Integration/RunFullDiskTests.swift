// A disk that gets full while readings come: the gateway waits, the broker keeps the messages, and when there is
// room again all is as if nothing had happened.

import Foundation
import TestSupport
import Testing

extension RunTests {
  @Suite(.enabled(if: SmallDisk.isAllowed, SmallDisk.isForbidden)) struct `Full disk` {
    private static let diskMegabytes = 48

    private let landing: MadeUpLanding
    private let broker: PrivateBroker
    private let disk: SmallDisk
    private let fixture: GatewayFixture

    init() throws {
      landing = try MadeUpLanding(customers: 600, readings: 6_000, seed: 40)
      broker = try PrivateBroker()
      disk = try SmallDisk(megabytes: Self.diskMegabytes)
      fixture = try GatewayFixture(broker, disk: disk, settings: MadeUpLanding.settings)
      fixture.settings["storage.segment_bytes"] = "256KiB"
      fixture.settings["checkpoint.journal_bytes"] = "1MiB"
      fixture.settings["checkpoint.interval"] = "1s"
    }

    @Test func `Less room than is to be left free keeps the messages with the broker until there is more`()
      async throws
    {
      fixture.settings["storage.min_free_bytes"] = "16MiB"
      let gateway = try await fixture.startAndConnect("--summary", "json")
      let simulator = try startSimulator()
      try await gateway.receives(landing.recordCount / 4)
      try disk.fill(leaving: 8 << 20)
      try await gateway.says("less than storage.min_free_bytes (16 MiB)")
      // What came but was not read makes the kernel reset the connection behind DISCONNECT; mosquitto may see the
      // reset first and then does not call it a disconnection.
      try await eventually("the gateway disconnects") {
        broker.log.contains {
          $0.contains("Client stepgate disconnected") || $0.contains("Client stepgate closed its connection")
        }
      }
      // It answers, and takes nothing, while the broker takes all there is.
      try await expectAllPublished(simulator)
      #expect(try await gateway.received() < landing.recordCount)
      #expect(try gateway.log.count { $0.contains("; subscribed") } == 1)
      #expect(try disk.freeBytes > 7 << 20)

      try disk.makeRoom()
      try await gateway.says("there is room again")
      try await gateway.receives(landing.recordCount)
      #expect(try gateway.log.count { $0.contains(" error ") } == 1)
      try await fixture.expectEverything(of: landing.replayed(), in: gateway.stop())
    }

    @Test func `A disk without any room is waited for, and it goes on by itself`() async throws {
      fixture.settings["storage.min_free_bytes"] = "0"
      let gateway = try await fixture.startAndConnect("--summary", "json")
      let simulator = try startSimulator()
      try await gateway.receives(landing.recordCount / 4)
      try disk.fill(leaving: 0)
      try await gateway.says("No space left on device; waiting for room")
      try await expectAllPublished(simulator)
      #expect(gateway.process.isRunning)

      try disk.makeRoom()
      try await gateway.receives(landing.recordCount)
      #expect(try gateway.log.count { $0.contains(" error ") } == 1)
      try await fixture.expectEverything(of: landing.replayed(), in: gateway.stop())
    }

    @Test(arguments: [SIGTERM, SIGKILL])
    func `A gateway that ends while the disk is full goes on when it starts with room`(
      signal: Int32
    ) async throws {
      fixture.settings["storage.min_free_bytes"] = "0"
      let full = try await fixture.startAndConnect()
      let simulator = try startSimulator()
      try await full.receives(landing.recordCount / 4)
      try disk.fill(leaving: 0)
      try await full.says("No space left on device; waiting for room")
      let start = ContinuousClock.now
      full.process.send(signal)
      let status = try await full.process.exitStatus()
      #expect(ContinuousClock.now - start < .seconds(5))
      // Told to stop, it says that it could not write what it had.
      #expect(status == (signal == SIGTERM ? 74 : -SIGKILL))
      let said = try full.log
      #expect(
        said.contains { $0.contains(" critical ") && $0.contains("No space left") } == (signal == SIGTERM))
      try await expectAllPublished(simulator)

      try disk.makeRoom()
      let gateway = try await fixture.startAndConnect("--summary", "json")
      try await gateway.receives(landing.recordCount)
      try await fixture.expectEverything(of: landing.replayed(), in: gateway.stop())
    }

    private func startSimulator() throws -> StepgateProcess {
      try StepgateProcess(
        ["simulate", "--broker", "127.0.0.1:\(broker.port)", "--rate", "6000"] + landing.arguments)
    }

    private func expectAllPublished(_ simulator: StepgateProcess) async throws {
      let status = try await simulator.exitStatus()
      let said = try simulator.error
      #expect(status == 0, "\(said)")
    }
  }
}
