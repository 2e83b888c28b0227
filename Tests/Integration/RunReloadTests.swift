// SIGHUP: what changes while the gateway runs, what does not, and what a wrong file does.

import Foundation
import TestSupport
import Testing

extension RunTests {
  @Suite struct Reload {
    private func sendPair(
      _ number: Int, apartMs: Int, to broker: PrivateBroker
    ) throws {
      let timeMs = 1_000_000 * number
      try publish("stedi/accelerometer/x", Sent.accelerometer("ada@x", timeMs), to: broker)
      try publish("stedi/step_trainer/x", Sent.stepTrainer("S1", timeMs + apartMs), to: broker)
    }

    @Test func `Readings behind it are judged by the new settings, those before it by the old ones`()
      async throws
    {
      let broker = try PrivateBroker()
      let operated = try OperatedGateway(broker)
      let fixture = operated.fixture
      let gateway = try await operated.startAndConnect()
      try publish("stedi/customer/x", Sent.customer("ada@x", "S1", updated: 1, consent: 1), to: broker)
      try sendPair(1, apartMs: 300, to: broker)
      try await gateway.receives(3)

      try operated.write([
        "join.tolerance": "500ms", "landing.enabled": "true", "log.level": "debug",
        "limits.max_message_bytes": "1KiB", "checkpoint.interval": "1s",
      ])
      try await operated.reload(gateway)
      try await gateway.says(
        "settings read again, changed: join.tolerance, limits.max_message_bytes, landing.enabled, "
          + "checkpoint.interval, log.level")
      try sendPair(2, apartMs: 300, to: broker)
      try publish("stedi/accelerometer/big", String(repeating: "x", count: 2_000), to: broker)
      try await gateway.receives(6)
      try await gateway.eventually("a checkpoint is made by the new interval") {
        try FileManager.default.fileExists(atPath: "\(fixture.data)/checkpoint")
          && !fixture.positions(in: "checkpoint").isEmpty
      }
      try broker.stop()
      try await gateway.says(" debug ")
      try await gateway.stop()

      let pairs = try fixture.rows("curated/machine_learning_curated")
      #expect(pairs.count == 1 && pairs.first?.contains("2000300") == true, "\(pairs)")
      #expect(try fixture.rows("landing/accelerometer_landing").count == 1)
      let reasons = try fixture.rejected().map { "\($0.reason): \($0.detail)" }
      #expect(reasons == ["oversized: the payload is larger than limits.max_message_bytes"])
    }

    @Test func `What was changed while it ran still holds after a crash, and once more in the same way`()
      async throws
    {
      let broker = try PrivateBroker()
      let operated = try OperatedGateway(broker)
      let gateway = try await operated.startAndConnect()
      try publish("stedi/customer/x", Sent.customer("ada@x", "S1", updated: 1, consent: 1), to: broker)
      try sendPair(1, apartMs: 300, to: broker)
      try await gateway.receives(3)
      try operated.write(["join.tolerance": "500ms"])
      try await operated.reload(gateway)
      try sendPair(2, apartMs: 300, to: broker)
      try await gateway.receives(5)
      let before = try operated.fixture.tables()
      try await gateway.crash()

      let again = try await operated.startAndConnect()
      #expect(try operated.fixture.tables() == before)
      try sendPair(3, apartMs: 300, to: broker)
      try await again.eventually("a third pair") {
        try operated.fixture.rows("curated/machine_learning_curated").count == 2
      }
      try await again.stop()
    }

    @Test func `A file with mistakes changes nothing, and each is a line`() async throws {
      let broker = try PrivateBroker()
      let operated = try OperatedGateway(broker)
      let gateway = try await operated.startAndConnect()
      try operated.write(["join.tolerance": "soon", "log.level": "loud", "landing.enabled": "true"])
      try await operated.reload(gateway)
      let said = try gateway.log
      #expect(said.contains { $0.contains(" error ") && $0.contains("join.tolerance: \"soon\"") })
      #expect(said.contains { $0.contains(" error ") && $0.contains("log.level: \"loud\"") })
      try await gateway.says("the settings in force stay as they are; problems in the new ones: 2")
      try await gateway.eventually("the status says so") {
        operated.manager.status?.hasSuffix("; the last settings read are wrong, those before hold") == true
      }
      try publish("stedi/customer/x", Sent.customer("ada@x", "S1", updated: 1, consent: 1), to: broker)
      try await gateway.receives(1)
      #expect(!FileManager.default.fileExists(atPath: "\(operated.fixture.data)/landing"))

      try operated.write(["join.tolerance": "1s", "log.level": "info"])
      try await operated.reload(gateway)
      try await gateway.says("settings read again, changed: join.tolerance, landing.enabled")
      try await gateway.eventually("the status is well again") {
        operated.manager.status?.hasSuffix(" written") == true
      }
      try await gateway.stop()
    }

    @Test func `What takes a restart is named, and stays as it was`() async throws {
      let broker = try PrivateBroker()
      let operated = try OperatedGateway(broker)
      let gateway = try await operated.startAndConnect()
      try operated.write([
        "mqtt.client_id": "other", "topics.customer": "elsewhere/#", "storage.segment_bytes": "1MiB",
        "join.idle": "20m",
      ])
      try await operated.reload(gateway)
      for key in ["mqtt.client_id", "topics.customer", "storage.segment_bytes"] {
        try await gateway.says("\(key) has changed, which takes a restart; until then the old value stays")
      }
      try await gateway.says("settings read again, changed: join.idle")
      try publish("stedi/customer/x", Sent.customer("ada@x", "S1", updated: 1, consent: 1), to: broker)
      try await gateway.eventually("the old topics count") {
        try operated.fixture.rows("trusted/customer_trusted").count == 1
      }
      try await gateway.stop()
      let again = try await operated.startAndConnect()
      #expect(try again.log.contains { $0.contains(" as other with a new session") })
      try await again.stop()
    }

    @Test func `Many reloads under load lose no reading and double none`() async throws {
      let landing = try MadeUpLanding(seed: 77, malformed: false)
      let expected = try await landing.replayed()
      let broker = try PrivateBroker()
      let operated = try OperatedGateway(broker, settings: MadeUpLanding.settings)
      let gateway = try await operated.startAndConnect()
      let simulator = try StepgateProcess(
        ["simulate", "--broker", "127.0.0.1:\(broker.port)", "--rate", "4000"] + landing.arguments)
      var turn = 0
      while simulator.isRunning {
        turn += 1
        try operated.write(["limits.max_message_bytes": turn.isMultiple(of: 2) ? "1MiB" : "2MiB"])
        try await operated.reload(gateway)
      }
      #expect(turn > 2)
      try await operated.fixture.catchesUp(with: broker, gateway)
      try await gateway.stop()
      expectSameRows(try operated.fixture.tables(), expected.tables)
    }
  }
}
