// What no gateway asked for, over the wire: each record ends in its verdict, the good ones beside it pass, and
// the gateway stays up.

import Foundation
import Simulator
import TestSupport
import Testing

extension RunTests {
  @Suite struct `Bad input` {
    /// A payload, and the quarantine's row for it.
    private struct Case {
      var name: String
      var payload: [UInt8]
      var reason = "malformed"
      var detail: String
      /// What the row shows of the payload, where that is not all of it as text.
      var shown: String?
      var shownBase64: String?
    }

    private static func text(_ name: String, _ text: String, detail: String) -> Case {
      Case(name: name, payload: Array(text.utf8), detail: detail, shown: text)
    }

    private static func bytes(_ name: String, _ bytes: [UInt8], detail: String) -> Case {
      Case(
        name: name, payload: bytes, detail: detail,
        shownBase64: Data(bytes.prefix(4096)).base64EncodedString())
    }

    private static let cases = [
      text("words", "not JSON at all", detail: "not a JSON object"),
      text("nothing", "", detail: "no record in the payload"),
      text("a number", "17", detail: "not a JSON object"),
      text("cut off", #"{"user":"ada@x","timestamp":1000,"x":1,"#, detail: "not JSON"),
      text("no user", #"{"timestamp":1000,"x":1,"y":2,"z":3}"#, detail: "user is missing"),
      text(
        "two users", #"{"user":"ada@x","USER":"b","timestamp":1000,"x":1,"y":2,"z":3}"#,
        detail: "user is there twice"),
      text(
        "a time that is none", #"{"user":"ada@x","timestamp":1.5,"x":1,"y":2,"z":3}"#,
        detail: "timestamp is not an integer of 64 bits"),
      Case(
        name: "a NUL", payload: Array("{\"user\":\"a\0\"}".utf8), detail: "not JSON",
        shown: "{\"user\":\"a\0\"}"),
      Case(
        name: "many NULs", payload: [UInt8](repeating: 0, count: 5_000), detail: "not a JSON object",
        shown: String(repeating: "\0", count: 4_096)),
      bytes("not UTF-8", Array("{\"user\":\"".utf8) + [0xFF, 0xC0] + Array("\"}".utf8), detail: "not JSON"),
      Case(
        name: "deep arrays", payload: [UInt8](repeating: UInt8(ascii: "["), count: 100_000),
        detail: "not JSON", shown: String(repeating: "[", count: 4_096)),
      Case(
        name: "deep objects", payload: Array(String(repeating: #"{"a":"#, count: 50_000).utf8),
        detail: "not JSON", shown: String(String(repeating: #"{"a":"#, count: 1_000).prefix(4_096))),
      Case(
        name: "ten megabytes", payload: [UInt8](repeating: UInt8(ascii: "x"), count: 10 << 20),
        reason: "oversized", detail: "the payload is larger than limits.max_message_bytes",
        shown: String(repeating: "x", count: 4_096)),
    ]

    @Test func `Each broken payload is one row of the quarantine, and the readings around it pass`()
      async throws
    {
      let broker = try PrivateBroker()
      let fixture = try GatewayFixture(broker)
      let gateway = try await fixture.startAndConnect("--summary", "json")
      try publish("stedi/customer/ada", Sent.customer("ada@x", "S1", updated: 1, consent: 1), to: broker)
      let start = Int(Date().timeIntervalSince1970 * 1_000)
      for (number, bad) in Self.cases.enumerated() {
        try publish(
          [
            OutgoingMessage(topic: "stedi/accelerometer/\(number)", payload: bad.payload),
            OutgoingMessage(
              topic: "stedi/accelerometer/ada", payload: Array(Sent.accelerometer("ada@x", number + 1).utf8)),
          ], to: broker)
      }
      try await gateway.receives(1 + 2 * Self.cases.count)
      let summary = try RunSummary(await gateway.stop())
      let end = Int(Date().timeIntervalSince1970 * 1_000)

      let rejected = try fixture.rejected()
      #expect(rejected.count == Self.cases.count)
      for (number, (row, bad)) in zip(rejected, Self.cases).enumerated() {
        #expect(row.topic == "stedi/accelerometer/\(number)")
        #expect(row.reason == bad.reason, "\(bad.name)")
        #expect(row.detail == bad.detail, "\(bad.name)")
        #expect(row.payload == bad.shown, "\(bad.name)")
        #expect(row.payloadBase64 == bad.shownBase64, "\(bad.name)")
        #expect((start...end).contains(row.receivedAt))
      }
      #expect(
        try fixture.rows("trusted/accelerometer_trusted")
          == Self.cases.indices.map { Sent.accelerometer("ada@x", $0 + 1) })
      #expect(
        summary.occurring["accelerometer"]
          == ["trusted": Self.cases.count, "malformed": Self.cases.count - 1, "oversized": 1])
    }

    @Test func `A bad line or element refuses itself alone`() async throws {
      let broker = try PrivateBroker()
      let fixture = try GatewayFixture(broker)
      let gateway = try await fixture.startAndConnect()
      try publish("stedi/customer/ada", Sent.customer("ada@x", "S1", updated: 1, consent: 1), to: broker)
      let good = (1...4).map { Sent.accelerometer("ada@x", $0) }
      try publish(
        "stedi/accelerometer/ada", [good[0], "bad", good[1]].joined(separator: "\n"),
        "[\(good[2]),{\"user\":\"ada@x\"},\(good[3])]", to: broker)
      try await gateway.receives(7)
      try await gateway.stop()

      #expect(try fixture.rows("trusted/accelerometer_trusted") == good)
      let rejected = try fixture.rejected()
      #expect(rejected.map(\.payload) == ["bad", #"{"user":"ada@x"}"#])
      #expect(rejected.map(\.detail) == ["not a JSON object", "timestamp is missing"])
    }

    @Test func `A topic that lies about the identity is refused, on any kind`() async throws {
      let broker = try PrivateBroker()
      let fixture = try GatewayFixture(
        broker,
        settings: [
          "topics.customer": "stedi/customer/{email}", "topics.accelerometer": "stedi/accelerometer/{user}",
          "topics.step_trainer": "stedi/step_trainer/{serialNumber}/#",
        ])
      let gateway = try await fixture.startAndConnect()
      try publish("stedi/customer/eve@x", Sent.customer("ada@x", "S1", updated: 1, consent: 1), to: broker)
      try publish("stedi/customer/ada@x", Sent.customer("ada@x", "S1", updated: 1, consent: 1), to: broker)
      try publish("stedi/accelerometer/eve@x", Sent.accelerometer("ada@x", 1), to: broker)
      try publish("stedi/accelerometer/ada@x", Sent.accelerometer("ada@x", 1), to: broker)
      try publish("stedi/step_trainer/S2/left", Sent.stepTrainer("S1", 1), to: broker)
      try publish("stedi/step_trainer/S1/left", Sent.stepTrainer("S1", 1), to: broker)
      try await gateway.receives(6)
      try await gateway.stop()

      for rows in try fixture.tables().values { #expect(rows.count == 1) }
      let rejected = try fixture.rejected()
      #expect(
        rejected.map(\.topic) == [
          "stedi/customer/eve@x", "stedi/accelerometer/eve@x", "stedi/step_trainer/S2/left",
        ])
      #expect(rejected.allSatisfy { $0.reason == "identity_mismatch" })
    }

    @Test func `What an old subscription of the session still brings is refused, not judged`() async throws {
      let broker = try PrivateBroker()
      let fixture = try GatewayFixture(broker)
      try await fixture.startAndConnect().stop()
      fixture.settings["topics.accelerometer"] = "phones/#"
      let gateway = try await fixture.startAndConnect("--summary", "json")
      let old = Sent.accelerometer("ada@x", 1)
      try publish("stedi/accelerometer/ada", old, to: broker)
      try publish("phones/ada", Sent.accelerometer("stranger@x", 1), to: broker)
      try await gateway.receives(2)
      let summary = try RunSummary(await gateway.stop())

      let row = try #require(try fixture.rejected().first)
      #expect(row.topic == "stedi/accelerometer/ada")
      #expect(row.reason == "malformed")
      #expect(row.detail == "the topic matches no topic filter")
      #expect(row.payload == old)
      #expect(
        summary.occurring == ["accelerometer": ["unknown_customer": 1], "unknown": ["malformed": 1]])
    }

    @Test func `A retained message comes once, not again at each start`() async throws {
      let broker = try PrivateBroker()
      let fixture = try GatewayFixture(broker)
      try ChildProcess.run(
        "/usr/bin/mosquitto_pub",
        [
          "-p", "\(broker.port)", "-q", "1", "-r", "-t", "stedi/customer/ada", "-m",
          Sent.customer("ada@x", "S1", updated: 1, consent: 1),
        ])
      try ChildProcess.run(
        "/usr/bin/mosquitto_pub",
        ["-p", "\(broker.port)", "-q", "1", "-r", "-t", "stedi/accelerometer/bad", "-m", "retained nonsense"])
      for _ in 0..<3 {
        let gateway = try await fixture.startAndConnect()
        try await gateway.receives(2)
        try await gateway.stop()
      }
      #expect(try fixture.rows("trusted/customer_trusted").count == 1)
      #expect(try fixture.rejected().map(\.payload) == ["retained nonsense"])
    }
  }
}
