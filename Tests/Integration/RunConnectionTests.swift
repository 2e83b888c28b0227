// The way to the broker: TLS, passwords, brokers that are not there, go away and come back. Nothing of that
// ends the gateway, and each is one line.

import Foundation
import TestSupport
import Testing

extension RunTests {
  @Suite struct Connection {
    /// A broker that wants TLS, and the settings that satisfy it.
    private func secured(
      _ certificates: TestCertificates, clientCertificate: Bool = false
    ) throws -> GatewayFixture {
      var options = PrivateBroker.Options()
      options.certificates = certificates
      options.requiresClientCertificate = clientCertificate
      let settings = ["mqtt.tls.ca_file": certificates.caFile]
      return try GatewayFixture(try PrivateBroker(options), settings: settings)
    }

    /// Starts the gateway, and waits until it has tried again several times; what it said of that.
    private func linesOfFailingAttempts(
      _ fixture: GatewayFixture
    ) async throws -> (gateway: RunningGateway, lines: [String]) {
      fixture.settings["log.level"] = "debug"
      let gateway = try fixture.start()
      try await gateway.says("next attempt in", times: 2)
      return (gateway, try gateway.log.filter { $0.contains(" error ") || $0.contains(" warning ") })
    }

    @Test func `TLS with the broker's authority, and with a client certificate where it wants one`()
      async throws
    {
      let certificates = try TestCertificates()
      for wantsCertificate in [false, true] {
        let fixture = try secured(certificates, clientCertificate: wantsCertificate)
        if wantsCertificate {
          fixture.settings["mqtt.tls.certificate_file"] = certificates.clientFile
          fixture.settings["mqtt.tls.key_file"] = certificates.clientKeyFile
        }
        let gateway = try await fixture.startAndConnect()
        let said = try gateway.log
        #expect(said.contains { $0.contains(" connected to 127.0.0.1:") })
        try await gateway.stop()
      }
    }

    @Test func `An unknown authority is one line that names the setting, and is tried again`() async throws {
      let fixture = try secured(TestCertificates())
      let strangers = try TestCertificates()
      fixture.settings["mqtt.tls.ca_file"] = strangers.caFile
      let (gateway, lines) = try await linesOfFailingAttempts(fixture)
      #expect(lines.count == 1)
      #expect(lines.first?.contains("certificate verify failed; check mqtt.tls.* and") == true, "\(lines)")
      try await gateway.stop()
    }

    @Test func `An expired certificate is one line that names the setting, and is tried again`() async throws
    {
      let fixture = try secured(TestCertificates(serverDays: -1))
      let (gateway, lines) = try await linesOfFailingAttempts(fixture)
      #expect(lines.count == 1)
      #expect(lines.first?.contains("certificate verify failed; check mqtt.tls.* and") == true, "\(lines)")
      try await gateway.stop()
    }

    @Test func `A missing client certificate is one line that names the setting, and is tried again`()
      async throws
    {
      let fixture = try secured(TestCertificates(), clientCertificate: true)
      let (gateway, lines) = try await linesOfFailingAttempts(fixture)
      // The broker's refusal crosses what the gateway sends first: it sees either an end or a TLS error.
      #expect(Set(lines).count == lines.count && lines.count <= 2, "\(lines)")
      #expect(lines.allSatisfy { $0.contains("check mqtt.tls.*") }, "\(lines)")
      try await gateway.stop()
    }

    @Test func `A broker that wants TLS where none is set is one line that names the settings`() async throws
    {
      let fixture = try secured(TestCertificates())
      fixture.settings["mqtt.tls.ca_file"] = nil
      let (gateway, lines) = try await linesOfFailingAttempts(fixture)
      #expect(lines.count == 1, "\(lines)")
      #expect(
        lines.first?.contains("does it want TLS? check mqtt.port and mqtt.tls.ca_file;") == true, "\(lines)")
      try await gateway.stop()
    }

    @Test func `The right password connects, the wrong one is one line, and neither is ever shown`()
      async throws
    {
      var options = PrivateBroker.Options()
      options.login = ("gateway", "right-Pa55word")
      let broker = try PrivateBroker(options)
      for password in ["right-Pa55word", "wrong-Pa55word"] {
        let fixture = try GatewayFixture(
          broker, settings: ["mqtt.username": "gateway"])
        // Only the first line counts, as editors end the last one.
        let file = try fixture.folder.file("password", password + "\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
        fixture.settings["mqtt.password_file"] = file
        let outcome: Outcome
        if password.hasPrefix("right") {
          outcome = try await fixture.startAndConnect("--summary", "text").stop()
        } else {
          let (gateway, lines) = try await linesOfFailingAttempts(fixture)
          #expect(lines.count == 1)
          #expect(lines.first?.contains("check mqtt.username and mqtt.password_file") == true, "\(lines)")
          outcome = try await gateway.stop()
        }
        #expect(!(outcome.output + outcome.error).contains("Pa55word"))
        #expect(try fixture.filesHolding("Pa55word").isEmpty)
      }
    }

    @Test func `A broker that is not there yet is one line, and is connected to when it comes`() async throws
    {
      let broker = try PrivateBroker()
      try broker.stop()
      let fixture = try GatewayFixture(broker)
      let (gateway, lines) = try await linesOfFailingAttempts(fixture)
      #expect(lines.count == 1)
      #expect(
        lines.first?.hasSuffix(
          "cannot connect to the broker at 127.0.0.1:\(broker.port): Connection refused; "
            + "check mqtt.host and mqtt.port; trying again until it works") == true, "\(lines)")
      try broker.start()
      try await gateway.says("; subscribed")
      try publish("stedi/accelerometer/a", "nonsense", to: broker)
      try await gateway.receives(1)
      try await gateway.stop()
    }

    @Test func `A broker that restarts while readings come loses none and brings none twice`() async throws {
      let landing = try MadeUpLanding(seed: 9, malformed: false)
      let expected = try await landing.replayed()
      var options = PrivateBroker.Options()
      options.isPersistent = true
      let broker = try PrivateBroker(options)
      let fixture = try GatewayFixture(broker, settings: MadeUpLanding.settings)
      let gateway = try await fixture.startAndConnect()
      let simulator = try StepgateProcess(
        ["simulate", "--broker", "127.0.0.1:\(broker.port)", "--rate", "2000"] + landing.arguments)
      for part in 1...2 {
        try await gateway.receives(landing.recordCount * part / 4)
        try broker.restart()
        try await gateway.says("as stepgate resuming its session; subscribed", times: part)
      }
      let status = try await simulator.exitStatus()
      let said = try simulator.error
      #expect(status == 0, "\(said)")
      try await fixture.catchesUp(with: broker, gateway)
      try await gateway.stop()
      expectSameRows(try fixture.tables(), expected.tables)
    }

    @Test func `Two gateways with one client id throw each other out less and less often`() async throws {
      let broker = try PrivateBroker()
      let fixtures = [try GatewayFixture(broker), try GatewayFixture(broker)]
      let first = try await fixtures[0].startAndConnect()
      let start = ContinuousClock.now
      let second = try await fixtures[1].startAndConnect()
      try await first.says("connecting again", times: 4)
      // Its pauses were at least 0.25, 0.5 and 1 s; were each the first one, it would be 1.5 s at the most.
      #expect(ContinuousClock.now - start > .milliseconds(1_750))
      try await first.stop()
      try await second.stop()
    }
  }
}
