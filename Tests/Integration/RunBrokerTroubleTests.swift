// The broker dies, or somebody stands still for so long that the other gives up: the tables do not show it.

import Foundation
import TestSupport
import Testing

extension RunTests {
  @Suite struct `Broker trouble` {
    @Test func `A broker that is killed, with what it holds on disk, loses none and brings none twice`()
      async throws
    {
      let landing = try MadeUpLanding(seed: 30)
      let folder = landing.folder.path
      let parts = [
        ["--customer", "\(folder)/customer", "--accelerometer", "\(folder)/accelerometer/1.json"],
        ["--accelerometer", "\(folder)/accelerometer/2.ndjson"],
        ["--step-trainer", "\(folder)/step-trainer"],
      ]
      var options = PrivateBroker.Options()
      options.isPersistent = true
      let broker = try PrivateBroker(options)
      let fixture = try GatewayFixture(broker, settings: MadeUpLanding.settings)
      let gateway = try await fixture.startAndConnect("--summary", "json")
      for (number, part) in parts.enumerated() {
        let before = try await gateway.received()
        let simulator = try StepgateProcess(
          ["simulate", "--broker", "127.0.0.1:\(broker.port)", "--rate", "2000"] + part)
        try await gateway.receives(before + 500)
        // From here on messages leave the broker and are not acknowledged: it will send them again.
        try await gateway.process.freeze()
        #expect(simulator.isRunning, "a test of nothing")
        let status = try await simulator.exitStatus()
        let said = try simulator.error
        #expect(status == 0, "\(said)")
        try broker.save()
        try broker.kill()
        gateway.process.send(SIGCONT)
        try await gateway.says("connecting again", times: number + 1)
        try broker.start()
        try await gateway.says("as stepgate resuming its session; subscribed", times: number + 1)
      }
      try await gateway.receives(landing.recordCount)
      let outcome = try await gateway.stop()
      #expect(try gateway.log.contains { $0.contains("messages again that were in the journal already") })
      try await fixture.expectEverything(of: landing.replayed(), in: outcome)
      #expect(try fixture.rows("audit/gaps").isEmpty)
    }

    @Test func `A broker that forgets everything is told with both times, and the gateway goes on`()
      async throws
    {
      let broker = try PrivateBroker()
      let fixture = try GatewayFixture(broker)
      let gateway = try await fixture.startAndConnect()
      try publish("stedi/customer/ada", Sent.customer("ada@x", "S1", updated: 1, consent: 1), to: broker)
      try publish("stedi/accelerometer/ada", Sent.accelerometer("ada@x", 1_000), to: broker)
      try await gateway.receives(2)
      let killedMs = Int(Date().timeIntervalSince1970 * 1_000)
      try broker.kill()
      try broker.start()
      try await gateway.says("with a new session; subscribed", times: 2)
      try await gateway.says("the broker no longer knew the session; what it took between ")
      try publish("stedi/accelerometer/ada", Sent.accelerometer("ada@x", 2_000), to: broker)
      try await gateway.receives(3)
      try await gateway.stop()

      let gaps = try fixture.rows("audit/gaps").map {
        try JSONDecoder().decode(Gap.self, from: Data($0.utf8))
      }
      let gap = try #require(gaps.first)
      #expect(gaps.count == 1)
      let nowMs = Int(Date().timeIntervalSince1970 * 1_000)
      // It looks at least once a second whether the session is there.
      #expect(
        (killedMs - 1_500...nowMs).contains(gap.from) && (max(gap.from, killedMs)...nowMs).contains(gap.to))
      #expect(gap.reason == "the broker no longer knew the session")
      #expect(try fixture.rows("trusted/accelerometer_trusted").count == 2)
    }

    private struct Gap: Decodable {
      var from: Int
      var to: Int
      var reason: String
    }
  }
}

/// Beside the other tests of the daemon, since most of the time somebody waits here for a time-out.
@Suite struct StandstillTests {
  @Test func `A broker that stands still for longer than the keepalive is given up, and resumed later`()
    async throws
  {
    let flow = try await Flow(seed: 31)
    let stalled = try #require(flow.broker.running)
    stalled.signal(SIGSTOP)
    try await flow.gateway.says("connecting again")
    // Attempts that nobody answers: the broker finds all of them when it goes on.
    try await flow.gateway.says(" error ")
    stalled.signal(SIGCONT)
    try await flow.gateway.says("as stepgate resuming its session; subscribed")
    try await flow.expectNothingHappened()
  }

  @Test func `A gateway that stands still until the broker gives it up goes on where it was`() async throws {
    let flow = try await Flow(seed: 32)
    try await flow.gateway.process.freeze()
    try await eventually("the broker gives the gateway up") {
      flow.broker.log.contains { $0.contains("Client stepgate has exceeded timeout") }
    }
    flow.gateway.process.send(SIGCONT)
    try await flow.gateway.says("connecting again")
    try await flow.gateway.says("as stepgate resuming its session; subscribed")
    try await flow.expectNothingHappened()
  }
}

/// A gateway that takes what a simulator publishes meanwhile.
private final class Flow {
  let landing: MadeUpLanding
  let broker: PrivateBroker
  let fixture: GatewayFixture
  let gateway: RunningGateway
  private let simulator: StepgateProcess

  /// Returns when a part of the readings has been received.
  init(seed: UInt64) async throws {
    landing = try MadeUpLanding(seed: seed)
    broker = try PrivateBroker()
    fixture = try GatewayFixture(broker, settings: MadeUpLanding.settings)
    fixture.settings["mqtt.keepalive"] = "5s"
    gateway = try await fixture.startAndConnect("--summary", "json")
    simulator = try StepgateProcess(
      ["simulate", "--broker", "127.0.0.1:\(broker.port)", "--rate", "1000"] + landing.arguments)
    try await gateway.receives(landing.recordCount / 4)
  }

  func expectNothingHappened() async throws {
    let status = try await simulator.exitStatus()
    let said = try simulator.error
    #expect(status == 0, "\(said)")
    try await gateway.receives(landing.recordCount)
    try await fixture.expectEverything(of: landing.replayed(), in: gateway.stop())
    #expect(try fixture.rows("audit/gaps").isEmpty)
  }
}
