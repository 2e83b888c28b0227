// What consent refuses goes nowhere, whatever else is wrong with it, and a withdrawal takes effect at once.

import Foundation
import TestSupport
import Testing

extension RunTests {
  @Suite struct Consent {
    private let nowMs = Int(Date().timeIntervalSince1970 * 1_000)

    @Test
    func `What consent refuses is in no table, no quarantine and no log, neither while it runs nor after`()
      async throws
    {
      let broker = try PrivateBroker()
      let fixture = try GatewayFixture(broker, settings: ["log.level": "trace"])
      let gateway = try await fixture.startAndConnect("--summary", "json")
      try publish(
        "stedi/customer/x", Sent.customer("refuses@x", "SERIAL-R", updated: 1),
        Sent.customer("later@x", "SERIAL-L", updated: 1, consent: nowMs),
        Sent.customer("agrees@x", "SERIAL-A", updated: 1, consent: 1), to: broker)
      // Before the consent, without one, and from nobody; also with a time from the future, for which a
      // covered reading would be quarantined.
      let day = 24 * 3_600_000
      for timeMs in [nowMs - day, nowMs + day] {
        try publish(
          "stedi/accelerometer/x", Sent.accelerometer("refuses@x", timeMs),
          Sent.accelerometer("stranger@x", timeMs), to: broker)
        try publish(
          "stedi/step_trainer/x", Sent.stepTrainer("SERIAL-R", timeMs), Sent.stepTrainer("SERIAL-X", timeMs),
          to: broker)
      }
      try publish("stedi/accelerometer/x", Sent.accelerometer("later@x", nowMs - day), to: broker)
      try publish("stedi/step_trainer/x", Sent.stepTrainer("SERIAL-L", nowMs - day), to: broker)
      try publish("stedi/accelerometer/x", Sent.accelerometer("agrees@x", nowMs - day), to: broker)
      try publish("stedi/accelerometer/x", Sent.accelerometer("agrees@x", nowMs + day), to: broker)
      try await gateway.receives(15)
      try await expectNoTrace(fixture, gateway)
      let outcome = try await gateway.stop()
      try await expectNoTrace(fixture, gateway)

      #expect(
        try RunSummary(outcome).occurring == [
          "customer": ["consenting": 2, "not_consenting": 1],
          "accelerometer": [
            "no_consent": 2, "unknown_customer": 2, "before_consent": 1, "trusted": 1, "future": 1,
          ],
          "step_trainer": ["no_consent": 2, "unknown_device": 2, "before_consent": 1],
        ])
      #expect(try fixture.rejected().map(\.reason) == ["future"])
      // The customer record itself was consented to, its readings were not.
      #expect(try fixture.rows("trusted/customer_trusted").count == 2)
      #expect(try fixture.rows("trusted/accelerometer_trusted").count == 1)
    }

    private func expectNoTrace(_ fixture: GatewayFixture, _ gateway: RunningGateway) async throws {
      for text in ["refuses@x", "stranger@x", "SERIAL-R", "SERIAL-X"] {
        // The consent index knows who refused; a checkpoint is the index, and nobody else reads it.
        let mayKnow = text == "refuses@x" || text == "SERIAL-R" ? "checkpoint/" : "nothing"
        #expect(try fixture.filesHolding(text).allSatisfy { $0.hasPrefix(mayKnow) }, "\(text)")
        #expect(try !gateway.process.error.contains(text), "\(text)")
      }
      // The journal holds it, so the search does find what is there.
      let journal = try FileManager.default.contentsOfDirectory(atPath: "\(fixture.data)/journal")
      #expect(
        try journal.contains { name in
          let bytes = try Data(contentsOf: URL(filePath: "\(fixture.data)/journal/\(name)"))
          return bytes.range(of: Data("refuses@x".utf8)) != nil
        })
    }

    @Test(arguments: [false, true])
    func `A withdrawal drops what waits, and nothing more is written, also over a restart`(
      restarts: Bool
    ) async throws {
      let broker = try PrivateBroker()
      let fixture = try GatewayFixture(broker)
      var gateway = try await fixture.startAndConnect("--summary", "json")
      let timeMs = nowMs - 60_000
      try publish(
        "stedi/customer/x", Sent.customer("ada@x", "S1", updated: 1, consent: 1),
        Sent.customer("held@x", "S2", updated: 1, consent: 1), to: broker)
      // Ada's reading waits for its partner; a step trainer reading of S2 waits for any accelerometer.
      try publish("stedi/accelerometer/x", Sent.accelerometer("ada@x", timeMs), to: broker)
      try publish("stedi/step_trainer/x", Sent.stepTrainer("S2", timeMs), to: broker)
      try await gateway.receives(4)
      let before = try fixture.tables()
      #expect(before["trusted/accelerometer_trusted"]?.count == 1)
      if restarts {
        try await gateway.crash()
        gateway = try await fixture.startAndConnect("--summary", "json")
      }

      try publish(
        "stedi/customer/x", Sent.customer("ada@x", "S1", updated: 2),
        Sent.customer("held@x", "S2", updated: 2),
        to: broker)
      try publish(
        "stedi/accelerometer/x", Sent.accelerometer("ada@x", timeMs + 1),
        Sent.accelerometer("held@x", timeMs + 1), to: broker)
      // The partners of what waited.
      try publish(
        "stedi/step_trainer/x", Sent.stepTrainer("S1", timeMs), Sent.stepTrainer("S2", timeMs + 1), to: broker
      )
      try await gateway.receives(10)
      let summary = try RunSummary(await gateway.stop())

      #expect(
        summary.occurring == [
          "customer": ["consenting": 2, "not_consenting": 2],
          "accelerometer": ["trusted": 1, "no_consent": 2],
          "step_trainer": ["no_consent": 3],
        ])
      #expect(try fixture.tables() == before)
      #expect(try fixture.rejected().isEmpty)
    }

    @Test(arguments: [false, true])
    func `Who withdraws is gone from the status page's last rows, also after a restart`(restarts: Bool)
      async throws
    {
      let broker = try PrivateBroker()
      let fixture = try GatewayFixture(
        broker, settings: ["http.enabled": "true", "http.listen": "127.0.0.1:0"])
      var gateway = try await fixture.startAndConnect()
      var http = try await StatusPort(gateway)
      func rows() throws -> [[String: Any]] { try http.status()["curated"] as? [[String: Any]] ?? [] }
      try publish("stedi/customer/x", Sent.customer("ada@x", "S1", updated: 1, consent: 1), to: broker)
      try publish("stedi/accelerometer/x", Sent.accelerometer("ada@x", 10), to: broker)
      try publish("stedi/step_trainer/x", Sent.stepTrainer("S1", 20), to: broker)
      try await gateway.eventually("the pair is shown") { try rows().count == 1 }
      try publish("stedi/customer/x", Sent.customer("ada@x", "S1", updated: 2), to: broker)
      try await gateway.eventually("nothing is shown any more") { try rows().isEmpty }
      if restarts {
        try await gateway.crash()
        gateway = try await fixture.startAndConnect()
        http = try await StatusPort(gateway)
      }
      try publish("stedi/customer/x", Sent.customer("bob@x", "S2", updated: 1, consent: 1), to: broker)
      try publish("stedi/accelerometer/x", Sent.accelerometer("bob@x", 30), to: broker)
      try publish("stedi/step_trainer/x", Sent.stepTrainer("S2", 40), to: broker)
      try await gateway.eventually("the next pair is shown, alone") {
        try rows().map { $0["sensor_reading_time"] as? Int } == [40]
      }
      try await gateway.stop()
    }
  }
}
