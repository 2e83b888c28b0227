// `stepgate run`: what it says, how it stops, what it answers.

import Foundation
import TestSupport
import Testing

extension RunTests {
  @Suite struct Lifecycle {
    @Test func `Within a second it says where it connects to, where it writes and how to read it`()
      async throws
    {
      let broker = try PrivateBroker()
      var fastest = Duration.seconds(60)
      // The quickest of three, since the machine may be busy with something else.
      for _ in 0..<3 where fastest > .seconds(1) {
        let fixture = try GatewayFixture(broker)
        let start = ContinuousClock.now
        let gateway = try await fixture.startAndConnect()
        fastest = min(fastest, ContinuousClock.now - start)
        let log = try gateway.log
        #expect(log.contains { $0.hasSuffix("connecting to the broker at 127.0.0.1:\(broker.port)") })
        #expect(log.contains { $0.hasSuffix("writing tables to \(fixture.data)") })
        #expect(
          log.contains {
            $0.hasSuffix("stepgate tail machine_learning_curated --follow --data \(fixture.data)")
          })
        #expect(
          log.contains {
            $0.hasSuffix(
              "connected to 127.0.0.1:\(broker.port) as stepgate with a new session; subscribed")
          })
        try await gateway.stop()
      }
      #expect(fastest < .seconds(1))
    }

    @Test func `Each line has the time, a level and a message, and stdout has none of it`() async throws {
      let fixture = try GatewayFixture(settings: ["log.level": "debug"])
      let gateway = try fixture.start()
      try await gateway.says("next attempt in")
      let outcome = try await gateway.stop()
      #expect(outcome.output == "")
      let line = /\d\d:\d\d:\d\d (debug|info|warning|error) +\S.*/
      for text in outcome.error.split(separator: "\n") {
        #expect(text.wholeMatch(of: line) != nil, "\(text)")
      }
      #expect(Set(try gateway.log.map { $0.split(separator: " ")[1] }) == ["debug", "info", "error"])
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func `A signal stops it in time, with success, and the session stays with the broker`(
      signal: Int32
    ) async throws {
      let broker = try PrivateBroker()
      let fixture = try GatewayFixture(broker)
      let gateway = try await fixture.startAndConnect()
      let start = ContinuousClock.now
      let outcome = try await gateway.stop(signal)
      #expect(ContinuousClock.now - start < .seconds(5))
      #expect(outcome.output == "")
      #expect(outcome.error.contains("stopped; the broker keeps the session for 604800 s"))

      let again = try await fixture.startAndConnect()
      #expect(try again.log.contains { $0.contains(" as stepgate resuming its session; subscribed") })
      try await again.stop()
    }

    @Test func `A signal also stops it while nobody answers, and while it waits to try again`() async throws {
      // A listener whose backlog is full: what connects hangs until its time-out.
      let deaf = try DeafListener()
      for port in [deaf.port, try freePort()] {
        let fixture = try GatewayFixture(settings: ["mqtt.port": "\(port)"])
        let gateway = try fixture.start()
        try await gateway.says("tail them with")
        let start = ContinuousClock.now
        try await gateway.stop()
        #expect(ContinuousClock.now - start < .seconds(5))
      }
    }

    @Test func `SIGUSR1 logs the counts and SIGTERM prints a summary that balances`() async throws {
      let broker = try PrivateBroker()
      let fixture = try GatewayFixture(broker)
      let gateway = try await fixture.startAndConnect("--summary", "json")
      #expect(try await gateway.received() == 0)
      try publish(
        "stedi/customer/a", Sent.customer("a@x", "S1", updated: 1, consent: 1),
        Sent.customer("b@x", "S2", updated: 1), Sent.customer("a@x", "S9", updated: 0), to: broker)
      try publish("stedi/accelerometer/a", Sent.accelerometer("a@x", 1_000), "nonsense", to: broker)
      // Trusted, no consent, unknown; and one that waits, behind a customer without an accelerometer.
      try publish("stedi/customer/c", Sent.customer("c@x", "S3", updated: 1, consent: 1), to: broker)
      try publish(
        "stedi/step_trainer/S1", Sent.stepTrainer("S1", 1_100), Sent.stepTrainer("S2", 1_100),
        Sent.stepTrainer("S4", 1_100), Sent.stepTrainer("S3", 1_100), to: broker)
      try await gateway.receives(10)
      try await gateway.says(
        "received 10 records, trusted 2 readings, paired 1, held 1, 3 readings in the join")

      let summary = try RunSummary(await gateway.stop())
      #expect(
        summary.occurring == [
          "customer": ["consenting": 2, "not_consenting": 1, "stale": 1],
          "accelerometer": ["trusted": 1, "malformed": 1],
          "step_trainer": ["trusted": 1, "no_consent": 1, "unknown_device": 1, "held": 1],
        ])
      #expect(summary.total == 10)
      #expect(
        summary.tables == [
          "customer_trusted": 2, "accelerometer_trusted": 1, "step_trainer_trusted": 1,
          "customers_curated": 1, "machine_learning_curated": 1, "rejected": 1, "gaps": 0,
        ])
    }

    @Test func `A configuration file serves as well as the environment, which overrides it`() async throws {
      let broker = try PrivateBroker()
      let fixture = try GatewayFixture(broker)
      let config = try fixture.folder.file(
        "stepgate.yaml", "mqtt:\n  port: 1\n  client_id: from-the-file\nlog:\n  level: info\n")
      let gateway = try await fixture.startAndConnect("--config", config)
      #expect(try gateway.log.contains { $0.contains("127.0.0.1:\(broker.port) as from-the-file") })
      try await gateway.stop()
    }
  }
}

/// A port on which connections are neither refused nor taken.
private final class DeafListener {
  let port: UInt16
  private var descriptors: [Int32] = []

  init() throws {
    port = try freePort()
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let listener = newSocket()
    try #require(withSocketAddress(address) { bind(listener, $0, $1) } == 0 && listen(listener, 0) == 0)
    // Linux takes one connection more than the backlog says, and drops what comes then.
    for _ in 0..<8 { _ = withSocketAddress(address) { connect(newSocket(), $0, $1) } }
  }

  deinit { for descriptor in descriptors { close(descriptor) } }

  private func newSocket() -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
    descriptors.append(descriptor)
    return descriptor
  }
}

private func withSocketAddress<Result>(
  _ address: sockaddr_in, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
) -> Result {
  withUnsafePointer(to: address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
    }
  }
}
