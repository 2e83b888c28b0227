// What keeps a gateway from starting, and what does not. None of it needs a broker.

import Foundation
import TestSupport
import Testing

extension RunTests {
  @Suite struct Start {
    @Test func `A data folder in use ends with 74 and a line that names the process and the setting`()
      async throws
    {
      let fixture = try GatewayFixture()
      let first = try fixture.start()
      try await first.says("tail them with")
      let lock = "\(fixture.data)/lock"
      let pid = try String(contentsOfFile: lock, encoding: .utf8).trimmingCharacters(in: .newlines)
      let second = try await fixture.failToStart()
      #expect(second.status == 74)
      #expect(second.output == "")
      #expect(
        second.error.hasSuffix(
          "storage.directory: cannot lock \(lock): in use by another stepgate (pid \(pid))\n"))
      #expect(second.error.split(separator: "\n").count == 1)

      // The first one does not care, and a crash of it leaves no lock behind.
      try await first.crash()
      let third = try fixture.start()
      try await third.says("tail them with")
      try await third.stop()
    }

    @Test func `A data folder that cannot be made ends with 74 and a line that names the setting`()
      async throws
    {
      let fixture = try GatewayFixture()
      let file = try fixture.folder.file("file", "")
      fixture.settings["storage.directory"] = "\(file)/data"
      let outcome = try await fixture.failToStart()
      #expect(outcome.status == 74)
      #expect(outcome.error.contains("storage.directory: cannot create folder \(file)"))
      #expect(outcome.error.split(separator: "\n").count == 1)
    }

    @Test func `A data folder that cannot be written to ends with 74 and a line that names the setting`()
      async throws
    {
      let fixture = try GatewayFixture()
      // Not even root writes to it, so this also holds where the tests run as root.
      fixture.settings["storage.directory"] = "/proc/self"
      let outcome = try await fixture.failToStart()
      #expect(outcome.status == 74)
      #expect(outcome.error.contains("storage.directory: cannot lock /proc/self/lock"))
      #expect(outcome.error.split(separator: "\n").count == 1)
    }

    @Test(.enabled(if: SmallDisk.isAllowed, SmallDisk.isForbidden))
    func `A data folder on a read-only disk ends with 74 and a line that says so`() async throws {
      let disk = try SmallDisk(megabytes: 1)
      let fixture = try GatewayFixture()
      fixture.settings["storage.directory"] = "\(disk.path)/data"
      try disk.makeReadOnly()
      let outcome = try await fixture.failToStart()
      #expect(outcome.status == 74)
      let line = "storage.directory: cannot create folder \(disk.path)/data: Read-only file system\n"
      #expect(outcome.error.hasSuffix(line), "\(outcome.error)")
    }

    @Test func `The journal and the checkpoints are for the gateway's user alone`() async throws {
      let broker = try PrivateBroker()
      let fixture = try GatewayFixture(broker)
      try await fixture.startAndConnect().stop()
      for name in ["journal", "checkpoint"] {
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(fixture.data)/\(name)")
        #expect(attributes[.posixPermissions] as? Int == 0o700, "\(name)")
      }
    }

    @Test func `Customer files in the data folder are refused, and stay`() async throws {
      let fixture = try GatewayFixture()
      let path = try fixture.folder.file("data/customers/customers.json", "{}")
      fixture.settings["customers.path"] = "\(fixture.data)/customers/"
      let outcome = try await fixture.failToStart()
      #expect(outcome.status == 78)
      #expect(outcome.error.contains("overlaps with storage.directory"))
      #expect(outcome.error.split(separator: "\n").count == 1)
      #expect(FileManager.default.fileExists(atPath: path))
    }

    @Test(arguments: [false, true])
    func `Customers that are not there yet are waited for, and nothing is taken in meanwhile`(isFolder: Bool)
      async throws
    {
      let broker = try PrivateBroker()
      let fixture = try GatewayFixture(
        broker, settings: ["http.enabled": "true", "http.listen": "127.0.0.1:0"])
      // A session that the broker keeps readings for.
      try await fixture.startAndConnect().stop()
      try publish("stedi/accelerometer/x", Sent.accelerometer("ada@x", 5), to: broker)
      let path = "\(fixture.folder.path)/customers" + (isFolder ? "" : ".json")
      if isFolder { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
      fixture.settings["customers.path"] = path
      let gateway = try fixture.start("--summary", "json")
      let http = try await StatusPort(gateway)
      try await gateway.says("customers.path: there are no files at \(path) yet")
      try await gateway.eventually("the status tells what is waited for") {
        try http.status().text("phase") == "waiting_for_customers"
      }
      #expect(try http.status().text("health.headline")?.hasPrefix("Waiting for the customer files") == true)
      #expect(try http.get("/-/ready").status == 503)
      let file = isFolder ? "customers/1.json" : "customers.json"
      _ = try fixture.folder.file(file, Sent.customer("ada@x", "S1", updated: 1, consent: 1))
      try await gateway.says("; subscribed")
      try await gateway.receives(2)
      let summary = try RunSummary(await gateway.stop())
      #expect(summary.occurring["accelerometer"] == ["trusted": 1])

      // Once customers are known, a folder that is gone costs no reading.
      try FileManager.default.removeItem(atPath: path)
      let next = try await fixture.startAndConnect()
      #expect(try next.log.contains { $0.contains("the customers known so far stay as they are") })
      try await next.stop()
    }

    @Test func `While it waits for customers it stops when it is told to`() async throws {
      let fixture = try GatewayFixture(settings: ["customers.path": "/nowhere/customers.json"])
      let gateway = try fixture.start()
      try await gateway.says("yet; nothing is taken in before they are there")
      try await gateway.stop()
      #expect(try gateway.log.last?.hasSuffix("stopped while waiting for the customer files") == true)
    }

    @Test func `Of a broken customers file the good lines count and the bad ones are quarantined`()
      async throws
    {
      let broker = try PrivateBroker()
      let fixture = try GatewayFixture(broker)
      let file = try fixture.folder.file(
        "customers.json",
        [
          Sent.customer("ada@x", "S1", updated: 1, consent: 1), "no JSON",
          #"{"email":"bob@x","serialNumber":7}"#,
          #"{"serialNumber":"S3"}"#, Sent.customer("cy@x", "S2", updated: 1, consent: 1),
        ].joined(separator: "\n"))
      fixture.settings["customers.path"] = file
      let gateway = try await fixture.startAndConnect()
      #expect(try gateway.log.contains { $0.hasSuffix("loaded 5 customer records from \(file)") })
      try publish(
        "stedi/accelerometer/x", Sent.accelerometer("ada@x", 5), Sent.accelerometer("cy@x", 5), to: broker)
      try await gateway.receives(7)
      try await gateway.stop()

      #expect(
        try fixture.rows("trusted/customer_trusted") == [
          Sent.customer("ada@x", "S1", updated: 1, consent: 1),
          Sent.customer("cy@x", "S2", updated: 1, consent: 1),
        ])
      #expect(try fixture.rows("trusted/accelerometer_trusted").count == 2)
      let rejected = try fixture.rejected()
      #expect(rejected.map(\.topic) == [file, file, file])
      #expect(
        rejected.map(\.payload) == [
          "no JSON", #"{"email":"bob@x","serialNumber":7}"#, #"{"serialNumber":"S3"}"#,
        ])
      #expect(
        rejected.map(\.detail) == ["not a JSON object", "serialNumber is not a string", "email is missing"])
      #expect(rejected.allSatisfy { $0.reason == "malformed" })
    }

    @Test func `Customers of a file that is loaded at each start are written once`() async throws {
      let fixture = try GatewayFixture()
      let file = try fixture.folder.file("c/1.json", Sent.customer("ada@x", "S1", updated: 1, consent: 1))
      fixture.settings["customers.path"] = "\(fixture.folder.path)/c"
      for _ in 0..<3 {
        let gateway = try fixture.start()
        try await gateway.says("tail them with")
        try await gateway.stop()
      }
      #expect(try fixture.rows("trusted/customer_trusted") == [String(contentsOfFile: file, encoding: .utf8)])
    }

    @Test func `Wrong settings end with 78 and the keys, before anything is made`() async throws {
      let fixture = try GatewayFixture(settings: ["join.tolerance": "soon", "mqtt.keepalive": "1s"])
      let outcome = try await fixture.failToStart()
      #expect(outcome.status == 78)
      #expect(outcome.output == "")
      #expect(outcome.error.contains("join.tolerance: \"soon\""))
      #expect(outcome.error.contains("mqtt.keepalive: \"1s\""))
      #expect(!FileManager.default.fileExists(atPath: fixture.data))

      let missing = try await stepgate(["run", "--config", "/nowhere/stepgate.yaml"])
      #expect(missing.status == 78)
      #expect(missing.error.contains("/nowhere/stepgate.yaml"))
    }
  }
}
