// What config/ promises of the broker: who may do what, what it keeps, and TLS with names from certificates.
//
// The certificates are those of config/make-test-certificates.sh, which is tried by that. (TestCertificates makes
// others, of kinds that nobody would set up.)

import Foundation
import Mosquitto
import Simulator
import TestSupport
import Testing

extension RunTests {
  @Suite struct `Broker configuration` {
    @Test func `A device writes only under its own serial number, and only its own readings`() async throws {
      let broker = try ConfiguredBroker()
      let fixture = try broker.gateway()
      let gateway = try await fixture.startAndConnect()
      let customer = Sent.customer("ada@x", "S1", updated: 1, consent: 1)
      #expect(try broker.publish(as: "customers", "stedi/customer/ada@x", customer) == 0)
      #expect(
        try broker.publish(as: "ada@x", "stedi/accelerometer/ada@x", Sent.accelerometer("ada@x", 9)) == 0)
      #expect(try broker.publish(as: "S1", "stedi/step_trainer/S1", Sent.stepTrainer("S1", 9)) == 0)

      // In another's name: the broker refuses the topic.
      #expect(try broker.publish(as: "S2", "stedi/step_trainer/S1", Sent.stepTrainer("S1", 10)) == 1)
      #expect(
        try broker.publish(as: "eve@x", "stedi/accelerometer/ada@x", Sent.accelerometer("ada@x", 10)) == 1)
      #expect(try broker.publish(as: "S2", "stedi/step_trainer/S2/S1", Sent.stepTrainer("S1", 10)) == 1)
      #expect(try broker.publish(as: "S1", "stedi/customer/ada@x", customer) == 1)
      // Under its own, with another's name in the record: the gateway does.
      #expect(try broker.publish(as: "S2", "stedi/step_trainer/S2", Sent.stepTrainer("S1", 11)) == 0)

      try await gateway.receives(4)
      try await gateway.stop()
      #expect(try fixture.rows("trusted/customer_trusted") == [customer])
      #expect(try fixture.rows("trusted/accelerometer_trusted") == [Sent.accelerometer("ada@x", 9)])
      #expect(try fixture.rows("trusted/step_trainer_trusted") == [Sent.stepTrainer("S1", 9)])
      let rejected = try fixture.rejected()
      #expect(rejected.map(\.topic) == ["stedi/step_trainer/S2"])
      #expect(rejected.map(\.reason) == ["identity_mismatch"])
    }

    @Test func `Nobody gets in without a name and its password`() throws {
      let broker = try ConfiguredBroker()
      let wrong: [(user: String?, password: Secret?)] = [
        (nil, nil), ("S1", nil), ("S1", "pw-S2"), ("nobody", "pw-nobody"),
      ]
      for login in wrong {
        var options = ConnectOptions(host: "127.0.0.1", port: broker.port, clientID: "test")
        options.username = login.user
        options.password = login.password
        let refused = MosquittoError.refused(host: "127.0.0.1", port: broker.port, reasonCode: 0x87)
        #expect(throws: refused, "\(login.user ?? "anonymous")") { try publishNothing(options) }
      }
    }

    @Test func `The users with rights of their own have no others`() throws {
      let broker = try ConfiguredBroker()
      let topics = ["customer/x", "customer/gateway", "accelerometer/x", "step_trainer/x", "x"]
      for user in ["gateway", "monitor", "customers"] {
        for topic in topics + ["accelerometer/\(user)", "step_trainer/\(user)"] {
          let refused = try broker.publish(as: user, "stedi/\(topic)", "{}")
          let mayWrite = user == "customers" && topic.hasPrefix("customer/")
          #expect(refused == (mayWrite ? 0 : 1), "\(user) to \(topic)")
        }
      }
    }

    @Test func `A device that calls itself like the gateway does not get its session`() async throws {
      let broker = try ConfiguredBroker()
      let fixture = try broker.gateway()
      let gateway = try await fixture.startAndConnect()
      for clientID in ["stepgate", "gateway"] {
        // Publisher asks for a clean start: if this were the gateway's session, it would be deleted.
        try broker.publish(as: "S1", clientID: clientID, "stedi/step_trainer/S1", "nonsense")
      }
      try await gateway.receives(2)
      let outcome = try await gateway.stop()
      #expect(!outcome.error.contains("connecting again"))
    }

    @Test func `What comes while the gateway is away waits, also while the broker restarts`() async throws {
      let broker = try ConfiguredBroker()
      let fixture = try broker.gateway()
      try await fixture.startAndConnect().stop()
      // More than mosquitto's own limit of 1000.
      let readings = (1...1_500).map { Sent.accelerometer("ada@x", $0) }
      try broker.publish(
        as: "customers", "stedi/customer/ada@x", Sent.customer("ada@x", "S1", updated: 1, consent: 1))
      for batch in [readings[..<750], readings[750...]] {
        try broker.publish(as: "ada@x", "stedi/accelerometer/ada@x", Array(batch))
        try broker.restart()
      }
      let gateway = try fixture.start()
      try await gateway.says("resuming its session; subscribed")
      try await gateway.receives(1 + readings.count)
      try await gateway.stop()
      #expect(try fixture.rows("trusted/accelerometer_trusted") == readings)
      #expect(try fixture.rows("audit/gaps").isEmpty)
    }

    @Test func `The limits fit the gateway's own settings`() throws {
      let broker = try configFile("mosquitto.conf")
      let gateway = try configFile("stepgate.yaml")
      // Read as they are, so that a change of either has somebody look at the other.
      #expect(
        gateway.contains("receive_maximum: 10000\n") && broker.contains("\nmax_inflight_messages 10000\n"))
      #expect(gateway.contains("session_expiry: 7d\n"))
      #expect(broker.contains("\npersistent_client_expiration 14d\n"))
      #expect(gateway.contains("max_message_bytes: 1MiB\n") && broker.contains("\nmax_packet_size 2097152\n"))
    }

    @Test func `With TLS a certificate's common name is its user, and no other certificate gets in`()
      async throws
    {
      let certificates = try ExampleCertificates()
      let broker = try ConfiguredBroker(certificates: certificates.path)
      let fixture = try broker.gateway(certificate: certificates.options("gateway"))
      let gateway = try await fixture.startAndConnect()
      let device = certificates.options("device")
      let own = Sent.stepTrainer("1234567890", 1)
      #expect(try broker.publish(with: device, "stedi/step_trainer/1234567890", own) == 0)
      #expect(try broker.publish(with: device, "stedi/step_trainer/S1", Sent.stepTrainer("S1", 1)) == 1)
      for name in ["expired", "unknown-device"] {
        #expect(throws: MosquittoError.self, "\(name)") {
          try broker.publish(with: certificates.options(name), "stedi/step_trainer/1234567890", own)
        }
      }
      try await gateway.receives(1)
      let summary = try await gateway.received()
      try await gateway.stop()
      #expect(summary == 1)
    }

    @Test func `A broker's certificate for another host is one line that says so`() async throws {
      let certificates = try ExampleCertificates()
      let broker = try ConfiguredBroker(certificates: certificates.path, serverCertificate: "other-host")
      let lines = try await complaints(broker, certificates.options("gateway"))
      #expect(lines.count == 1, "\(lines)")
      #expect(lines.first?.contains("host name verification failed") == true, "\(lines)")
      #expect(lines.first?.contains("check mqtt.tls.* and the broker's certificate") == true, "\(lines)")
    }

    @Test(arguments: ["expired", "unknown-device"])
    func `A certificate of the gateway that the broker refuses is told with the setting`(
      name: String
    ) async throws {
      let certificates = try ExampleCertificates()
      let broker = try ConfiguredBroker(certificates: certificates.path)
      let lines = try await complaints(broker, certificates.options(name))
      // The refusal crosses what the gateway sends first: it sees either an end or a TLS error.
      #expect(Set(lines).count == lines.count && lines.count <= 2 && !lines.isEmpty, "\(lines)")
      #expect(lines.allSatisfy { $0.contains("check mqtt.tls.*") }, "\(lines)")
    }

    /// What a gateway that cannot connect says of it, over several attempts.
    private func complaints(_ broker: ConfiguredBroker, _ certificate: TLSOptions) async throws -> [String] {
      let fixture = try broker.gateway(certificate: certificate)
      fixture.settings["log.level"] = "debug"
      let gateway = try fixture.start()
      try await gateway.says("next attempt in", times: 2)
      try await gateway.stop()
      return try gateway.log.filter { $0.contains(" error ") || $0.contains(" warning ") }
    }
  }
}

/// Connects and ends the connection.
private func publishNothing(_ options: ConnectOptions) throws {
  _ = try Publisher(options).publish([])
}

/// What config/make-test-certificates.sh makes.
private struct ExampleCertificates {
  private let folder: TemporaryFolder
  var path: String { "\(folder.path)/certificates" }

  init() throws {
    folder = try TemporaryFolder()
    try ChildProcess.run("\(configFolder)/make-test-certificates.sh", [path])
  }

  func options(_ name: String) -> TLSOptions {
    TLSOptions(
      caFile: "\(path)/ca.crt", certificateFile: "\(path)/\(name).crt", keyFile: "\(path)/\(name).key")
  }
}
