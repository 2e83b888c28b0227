// The gateway over HTTP: what it tells is what it did, nobody's name is in it, and nothing a client does reaches
// ingest.

import Foundation
import Mosquitto
import Simulator
import TestSupport
import Testing

extension RunTests {
  @Suite struct `Status over HTTP` {
    private static let on = ["http.enabled": "true", "http.listen": "127.0.0.1:0"]

    @Test func `Figures are those of the tables, in JSON, in metrics and for a terminal`() async throws {
      let broker = try PrivateBroker()
      let fixture = try GatewayFixture(broker, settings: Self.on)
      let gateway = try await fixture.startAndConnect()
      let http = try await StatusPort(gateway)
      try publish("stedi/customer/ada", Sent.customer("ada@x", "S1", updated: 1, consent: 1), to: broker)
      try publish("stedi/accelerometer/ada", Sent.accelerometer("ada@x", 10), "broken", to: broker)
      try publish("stedi/step_trainer/S1", Sent.stepTrainer("S1", 20), to: broker)
      try await gateway.receives(4)
      try await gateway.eventually("the status shows all four records") {
        try http.status().int("connection.messages") == 4
          && http.status().int("pipeline.tables.machine_learning_curated") == 1
      }

      let status = try http.status()
      #expect(status.text("phase") == "running")
      #expect(status.text("health.level") == "good")
      #expect(status.int("pipeline.records.accelerometer.verdicts.trusted") == 1)
      #expect(status.int("pipeline.records.accelerometer.verdicts.malformed") == 1)
      #expect(status.int("pipeline.records.accelerometer.received") == 2)
      #expect(status.int("pipeline.records.step_trainer.verdicts.trusted") == 1)
      #expect(status.int("pipeline.tables.rejected") == 1)
      #expect(status.int("pipeline.customers") == 1)
      #expect(status.int("pipeline.join.readings") == 2)
      #expect(status.int("pipeline.watermark_at_ms") == 10)
      #expect(status.int("connection.connects") == 1)
      #expect(status.int("journal.position_bytes") == status.int("journal.played_position_bytes"))
      let row = try #require((status["curated"] as? [[String: Any]])?.first)
      #expect(row["sensor_reading_time"] as? Int == 20)
      #expect(row["timestamp"] as? Int == 10)

      let metrics = try http.get("/metrics").body.split(separator: "\n")
      for line in [
        #"stepgate_records_judged_total{kind="accelerometer",verdict="malformed"} 1"#,
        #"stepgate_table_rows_total{table="machine_learning_curated"} 1"#,
        "stepgate_mqtt_messages_received_total 4", "stepgate_mqtt_connected 1", "stepgate_records_held 0",
      ] { #expect(metrics.contains { $0 == line }, "\(line)") }

      let terminal = try await stepgate(["status", "--url", http.url])
      #expect(terminal.status == 0)
      #expect(terminal.output.hasPrefix("[ok] All is well. Messages come in and rows go out.\n"))
      #expect(terminal.output.contains("machine_learning_curated     1\n"))
      let json = try await stepgate(["status", "--json", "--url", http.url])
      #expect(json.status == 0)
      #expect(json.output.contains("\"messages\":4"))
      try await gateway.stop()
    }

    @Test func `Nobody's name, number or reading is anywhere in it`() async throws {
      let broker = try PrivateBroker()
      let fixture = try GatewayFixture(broker, settings: Self.on)
      let gateway = try await fixture.startAndConnect()
      let http = try await StatusPort(gateway)
      let customer =
        #"{"email":"ada@example.org","serialNumber":"SERIAL-77","lastUpdateDate":1,"shareWithResearchAsOfDate":1,"customerName":"Ada Lovelace","phone":"5551234567","birthDay":"1815-12-10"}"#
      try publish("stedi/customer/ada@example.org", customer, to: broker)
      try publish(
        "stedi/accelerometer/ada@example.org", Sent.accelerometer("ada@example.org", 10),
        "broken ada@example.org",
        to: broker)
      try publish("stedi/step_trainer/SERIAL-77", Sent.stepTrainer("SERIAL-77", 20), to: broker)
      try await gateway.eventually("there is a curated row") {
        (try http.status()["curated"] as? [Any])?.count == 1
      }
      for path in ["/", "/status.json", "/metrics", "/-/ready"] {
        let body = try http.get(path).body
        for name in ["ada@", "example.org", "SERIAL", "Lovelace", "5551234567", "1815"] {
          #expect(!body.contains(name), "\(name) in \(path)")
        }
      }
      try await gateway.stop()
      // On the way here nothing was logged either.
      #expect(try !gateway.log.contains { $0.contains("ada@") || $0.contains("SERIAL") })
    }

    @Test func `It is ready when it is subscribed, and says why when it is not`() async throws {
      let broker = try PrivateBroker()
      let fixture = try GatewayFixture(broker, settings: Self.on)
      let gateway = try await fixture.startAndConnect()
      let http = try await StatusPort(gateway)
      try await gateway.eventually("it is ready") { try http.get("/-/ready").status == 200 }
      #expect(try http.get("/-/healthy").status == 200)

      try broker.stop()
      try await gateway.eventually("it is not ready") { try http.get("/-/ready").status == 503 }
      let reason = try http.get("/-/ready").body
      #expect(
        reason.hasPrefix("Connecting to the broker at 127.0.0.1:") || reason.hasPrefix("Not connected: "))
      #expect(try http.get("/-/healthy").status == 200)
      try await gateway.eventually("it is bad") { try http.status().text("health.level") == "bad" }
      #expect(try #require(try http.status().text("health.headline")).hasPrefix("Not connected: "))
      let terminal = try await stepgate(["status", "--url", http.url])
      #expect(terminal.status == 1)
      #expect(terminal.output.hasPrefix("[!!] Not connected: "))

      try broker.start()
      try await gateway.eventually("it is ready again") { try http.get("/-/ready").status == 200 }
      try await gateway.stop()
    }

    @Test func `A disk with too little room is told before anything is lost`() async throws {
      let broker = try PrivateBroker()
      let fixture = try GatewayFixture(
        broker, settings: Self.on.merging(["storage.min_free_bytes": "\(1 << 50)"]) { $1 })
      let gateway = try fixture.start()
      let http = try await StatusPort(gateway)
      try await gateway.eventually("the disk is low") { try http.status().text("health.level") == "bad" }
      #expect(
        try http.get("/-/ready").body.hasSuffix("Nothing is taken in; the broker keeps the messages.\n"))
      #expect(try http.get("/metrics").body.contains("stepgate_disk_low 1\n"))
      try await gateway.stop()
    }

    @Test func `Who connects while it stops does not decide how it ends`() async throws {
      let fixture = try GatewayFixture(settings: Self.on)
      for _ in 0..<12 {
        let gateway = try fixture.start()
        let http = try await StatusPort(gateway)
        let flood = Flood(port: http.port)
        defer { flood.stop() }
        try await gateway.stop()
      }
      // A start that ends by itself, early.
      try Data("damaged".utf8).write(
        to: URL(filePath: "\(fixture.data)/journal/00000000000000000000.journal"))
      fixture.settings["http.listen"] = "127.0.0.1:\(try freePort())"
      let port = try #require(fixture.settings["http.listen"]?.split(separator: ":").last.flatMap { Int($0) })
      let flood = Flood(port: port)
      defer { flood.stop() }
      for _ in 0..<12 { #expect(try await fixture.failToStart().status == 74) }
    }

    @Test func `A port in use ends it with 74 and one line, before it touches the broker`() async throws {
      let broker = try PrivateBroker()
      let first = try GatewayFixture(broker, settings: Self.on)
      let gateway = try await first.startAndConnect()
      let http = try await StatusPort(gateway)
      let second = try GatewayFixture(broker, settings: Self.on)
      second.settings["http.listen"] = "127.0.0.1:\(http.port)"
      let outcome = try await second.failToStart()
      #expect(outcome.status == 74)
      #expect(outcome.error.split(separator: "\n").count == 1)
      #expect(outcome.error.contains("http.listen: cannot listen on 127.0.0.1:\(http.port): another process"))
      // By then the first one's status has come round, which a second client of its name would have changed.
      try await gateway.eventually("the status tells of the connection") {
        try http.status().int("connection.connects") == 1
      }
      try await gateway.stop()
    }

    @Test func `Switched off nothing listens, and where nothing listens "status" ends with 74`() async throws
    {
      let fixture = try GatewayFixture()
      let gateway = try fixture.start()
      try await gateway.says("tail them with")
      #expect(try !gateway.log.contains { $0.contains("status page") })
      let port = try freePort()
      let outcome = try await stepgate(["status", "--url", "http://127.0.0.1:\(port)"])
      #expect(outcome.status == 74)
      #expect(outcome.output == "")
      #expect(outcome.error.hasPrefix("no gateway answers at 127.0.0.1:\(port): Connection refused;"))
      #expect(try await stepgate(["status", "--url", "nonsense"]).status == 64)
      try await gateway.stop()
    }

    @Test func `Clients that misbehave cost ingest nothing`() async throws {
      let broker = try PrivateBroker()
      let fixture = try GatewayFixture(broker, settings: Self.on)
      let gateway = try await fixture.startAndConnect("--summary", "json")
      let http = try await StatusPort(gateway)
      let flood = Flood(port: http.port)
      let load = try SteadyPublishing(broker, count: 3_000)
      let megabyte = String(repeating: "a", count: 1 << 20)
      for _ in 0..<20 {
        // Most find too many connections before them; what they are told is looked at elsewhere.
        _ = try? HTTPExchange.ask(
          http.port, "/", method: "POST", headers: ["Content-Length: \(megabyte.count)"], body: megabyte)
      }
      try load.wait()
      try await gateway.receives(3_000)
      flood.stop()
      try await gateway.eventually("it answers again") { try http.get("/-/ready").status == 200 }
      let status = try http.status()
      #expect(status.int("connection.connects") == 1)
      #expect(status.int("connection.messages") == 3_000)
      let summary = try RunSummary(await gateway.stop())
      #expect(summary.total == 3_000)
    }
  }
}

/// A thousand connections of which none says a whole word, opened over and over again.
private final class Flood: @unchecked Sendable {
  private let lock = NSLock()
  private var isStopped = false
  private let ended = DispatchSemaphore(value: 0)

  init(port: Int) {
    Thread.detachNewThread { [self] in
      var descriptors: [Int32] = []
      while !lock.withLock({ isStopped }) {
        if descriptors.count >= 500 { close(descriptors.removeFirst()) }
        descriptors.append(Self.open(port))
        usleep(500)
      }
      descriptors.forEach { close($0) }
      ended.signal()
    }
  }

  private static func open(_ port: Int) -> Int32 {
    let kind = SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
    let descriptor = socket(AF_INET, Int32(kind), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    _ = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    _ = send(descriptor, "GET", 3, Int32(MSG_NOSIGNAL))
    return descriptor
  }

  func stop() {
    lock.withLock { isStopped = true }
    ended.wait()
  }
}

/// Publishes readings on a thread of its own.
private final class SteadyPublishing: @unchecked Sendable {
  private let ended = DispatchSemaphore(value: 0)
  private let lock = NSLock()
  private var failure: (any Error)?

  init(_ broker: PrivateBroker, count: Int) throws {
    let messages = (0..<count).map { number in
      OutgoingMessage(
        topic: "stedi/accelerometer/ada", payload: Array(Sent.accelerometer("ada@x", number).utf8))
    }
    let (host, port) = (broker.host, broker.port)
    Thread.detachNewThread { [self] in
      do {
        let options = ConnectOptions(host: host, port: port, clientID: "steady-\(UUID().uuidString)")
        _ = try Publisher(options).publish(messages)
      } catch { lock.withLock { failure = error } }
      ended.signal()
    }
  }

  func wait() throws {
    try #require(ended.wait(timeout: .now() + 60) == .success, "publishing takes too long")
    if let failure = lock.withLock({ failure }) { throw failure }
  }
}
