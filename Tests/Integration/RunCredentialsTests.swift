// Credential files, as an operator or systemd provides them, and the log as systemd's journal takes it.

import Foundation
import TestSupport
import Testing

extension RunTests {
  @Suite struct Credentials {
    private func failure(_ text: String?, mode: Int) async throws -> (Outcome, path: String) {
      let fixture = try GatewayFixture(settings: ["mqtt.username": "gateway"])
      let path = "\(fixture.folder.path)/password"
      if let text {
        _ = try fixture.folder.file("password", text)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
      }
      fixture.settings["mqtt.password_file"] = path
      return (try await fixture.failToStart(), path)
    }

    @Test(arguments: [
      (nil, 0, "cannot be read: No such file or directory"),
      ("", 0o600, "cannot be read: its first line is empty"),
      ("s3cret\n", 0o644, "can be read or changed by everybody (mode 644)"),
    ])
    func `A password file that is missing, empty or open to all ends the start with one line`(
      text: String?, mode: Int, problem: String
    ) async throws {
      let (outcome, path) = try await failure(text, mode: mode)
      #expect(outcome.status == 78)
      #expect(outcome.error.split(separator: "\n").count == 1)
      #expect(
        outcome.error.hasPrefix("STEPGATE_MQTT_PASSWORD_FILE: mqtt.password_file: \"\(path)\" \(problem); "))
      #expect(!outcome.error.contains("s3cret"))
    }

    @Test func `A bare name is a credential that systemd passes on`() async throws {
      var options = PrivateBroker.Options()
      options.login = ("gateway", "right-Pa55word")
      let broker = try PrivateBroker(options)
      let operated = try OperatedGateway(
        broker, settings: ["mqtt.username": "gateway", "mqtt.password_file": "mqtt-password"])
      let password = try operated.fixture.folder.file("credentials/mqtt-password", "right-Pa55word\n")
      try FileManager.default.setAttributes([.posixPermissions: 0o400], ofItemAtPath: password)
      operated.environment["CREDENTIALS_DIRECTORY"] = "\(operated.fixture.folder.path)/credentials"
      let gateway = try await operated.startAndConnect()
      try await operated.reload(gateway)
      let commandLine = try String(
        contentsOfFile: "/proc/\(gateway.process.processID)/cmdline", encoding: .utf8)
      let outcome = try await gateway.stop()
      #expect(!(commandLine + outcome.error + outcome.output).contains("Pa55word"))
      #expect(!operated.manager.messages.flatMap(\.assignments).contains { $0.contains("Pa55word") })
      #expect(try operated.fixture.filesHolding("Pa55word").isEmpty)
    }

    @Test func `The simulator logs in too, with a password file and a certificate`() async throws {
      var options = PrivateBroker.Options()
      options.login = ("device", "right-Pa55word")
      let broker = try PrivateBroker(options)
      let folder = try TemporaryFolder()
      let arguments = [
        "simulate", "--broker", "127.0.0.1:\(broker.port)", "--readings", "10", "--customers", "1",
      ]
      let password = try folder.file("password", "right-Pa55word\n")
      let known = try await stepgate(arguments + ["--username", "device", "--password-file", password])
      #expect(known.status == 0, "\(known.error)")
      #expect(try await stepgate(arguments).status == 74)
      let missing = try await stepgate(arguments + ["--username", "device", "--password-file", "/nowhere"])
      #expect(missing.status == 74)
      #expect(missing.error == "--password-file /nowhere cannot be read: No such file or directory\n")
      #expect(try await stepgate(arguments + ["--password-file", password]).status == 64)

      let certificates = try TestCertificates()
      var secured = PrivateBroker.Options()
      secured.certificates = certificates
      secured.requiresClientCertificate = true
      let securedBroker = try PrivateBroker(secured)
      let shown = try await stepgate([
        "simulate", "--broker", "127.0.0.1:\(securedBroker.port)", "--readings", "10", "--customers", "1",
        "--ca-file", certificates.caFile, "--certificate-file", certificates.clientFile, "--key-file",
        certificates.clientKeyFile,
      ])
      #expect(shown.status == 0, "\(shown.error)")
    }

    @Test func `Checking a configuration passes over credentials that only the service can see`() async throws
    {
      let folder = try TemporaryFolder()
      let config = try folder.file(
        "stepgate.yaml", "mqtt:\n  username: gateway\n  password_file: mqtt-password\n")
      let checked = try await stepgate(["check-config", config])
      #expect(checked.status == 0)
      #expect(checked.output == "\(config): no errors\n")
      #expect(checked.error.contains("note: mqtt.password_file: mqtt-password cannot be checked here"))
      #expect(checked.error.split(separator: "\n").count == 1)
      let run = try await stepgate(["run", "--config", config])
      #expect(run.status == 78)
      #expect(run.error.contains("mqtt.password_file: \"mqtt-password\" cannot be read"))
    }

    @Test func `A certificate for another host is one line that names the setting`() async throws {
      var options = PrivateBroker.Options()
      options.certificates = try TestCertificates(serverNames: "DNS:elsewhere.example")
      let fixture = try GatewayFixture(
        try PrivateBroker(options), settings: ["mqtt.tls.ca_file": options.certificates?.caFile ?? ""])
      let gateway = try fixture.start()
      try await gateway.says("certificate verify failed; check mqtt.tls.* and")
      try await gateway.stop()
    }

    @Test func `For the journal lines begin with a priority and have no time`() async throws {
      let operated = try OperatedGateway()
      let error = FileManager.default.temporaryDirectory.appending(path: "stepgate-\(UUID().uuidString)")
      try Data().write(to: error)
      defer { try? FileManager.default.removeItem(at: error) }
      var status = stat()
      try #require(stat(error.path, &status) == 0)
      let process = try StepgateProcess(
        ["run"],
        environment: [
          "JOURNAL_STREAM": "\(status.st_dev):\(status.st_ino)", "STEPGATE_HTTP_ENABLED": "false",
          "STEPGATE_STORAGE_DIRECTORY": operated.fixture.data,
          "STEPGATE_MQTT_PORT": operated.fixture.settings["mqtt.port"] ?? "",
        ], redirection: "2>>\(error.path)")
      func said() throws -> String { try String(contentsOf: error, encoding: .utf8) }
      try await eventually("the error is logged") { try said().contains("Connection refused") }
      process.send(SIGTERM)
      #expect(try await process.exitStatus() == 0)
      let lines = try said().split(separator: "\n")
      #expect(lines.allSatisfy { $0.wholeMatch(of: /<[2-7]>\S.*/) != nil }, "\(lines)")
      #expect(lines.contains { $0.hasPrefix("<6>connecting to the broker") })
      #expect(lines.contains { $0.hasPrefix("<3>cannot connect to the broker") })

      let wrong = try await stepgate(
        ["run"],
        environment: [
          "JOURNAL_STREAM": "\(status.st_dev):\(status.st_ino)", "STEPGATE_MQTT_PORT": "x",
        ], redirection: "2>>\(error.path)")
      #expect(wrong.status == 78)
      #expect(try said().split(separator: "\n").last?.hasPrefix("<2>STEPGATE_MQTT_PORT: mqtt.port: ") == true)
    }
  }
}
