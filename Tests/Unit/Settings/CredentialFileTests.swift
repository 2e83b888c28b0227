import Foundation
import Testing

@testable import Settings

@Suite struct CredentialFileTests {
  private let yaml = """
    mqtt:
      username: u
      password_file: password
      tls:
        ca_file: ca.pem
        certificate_file: /etc/c.pem
        key_file: key.pem
    """

  @Test func `Bare names are in the credentials' folder where there is one, paths are as they stand`() throws
  {
    let mqtt = try settings(yaml: yaml, environment: ["CREDENTIALS_DIRECTORY": "/run/credentials/s"]).mqtt
    #expect(mqtt.passwordFile == "/run/credentials/s/password")
    #expect(mqtt.tls.caFile == "/run/credentials/s/ca.pem")
    #expect(mqtt.tls.certificateFile == "/etc/c.pem")
    #expect(mqtt.tls.keyFile == "/run/credentials/s/key.pem")
    for environment in [[:], ["CREDENTIALS_DIRECTORY": ""]] {
      #expect(try settings(yaml: yaml, environment: environment).mqtt.passwordFile == "password")
    }
  }

  private func problems(_ files: [(name: String, text: String, mode: Int)]) throws -> [String] {
    let folder = try SettingsFolder()
    for file in files { _ = try folder.file(file.name, file.text, mode: file.mode) }
    let found = try UnitTests.problems(
      yaml: yaml.replacing("/etc/c.pem", with: "c.pem"),
      environment: ["CREDENTIALS_DIRECTORY": folder.path])
    return found.map { $0.replacingOccurrences(of: folder.path, with: "DIR") }
  }

  private let good: [(name: String, text: String, mode: Int)] = [
    ("password", "secret", 0o400), ("ca.pem", "x", 0o644), ("c.pem", "x", 0o644), ("key.pem", "x", 0o640),
  ]

  @Test func `Credentials that are there, filled and not open to all are fine`() throws {
    #expect(try problems(good).isEmpty)
  }

  @Test(arguments: [
    (
      "password", "", 0o400,
      "3: mqtt.password_file: \"DIR/password\" cannot be read: its first line is empty; "
    ),
    (
      "password", "secret", 0o604,
      "3: mqtt.password_file: \"DIR/password\" can be read or changed by everybody"
    ),
    (
      "password", "secret", 0o602,
      "3: mqtt.password_file: \"DIR/password\" can be read or changed by everybody"
    ),
    (
      "key.pem", "x", 0o644,
      "7: mqtt.tls.key_file: \"DIR/key.pem\" can be read or changed by everybody (mode 644)"
    ),
    ("key.pem", "", 0o600, "7: mqtt.tls.key_file: \"DIR/key.pem\" is empty; "),
    ("ca.pem", "", 0o644, "5: mqtt.tls.ca_file: \"DIR/ca.pem\" is empty; "),
    ("c.pem", "", 0o644, "6: mqtt.tls.certificate_file: \"DIR/c.pem\" is empty; "),
  ])
  func `One that is empty, or a secret that is open to all, is one line`(
    name: String, text: String, mode: Int, problem: String
  ) throws {
    let files = good.map { $0.name == name ? (name, text, mode) : $0 }
    let found = try problems(files)
    #expect(found.count == 1)
    #expect(found.first?.hasPrefix("FILE:" + problem) == true, "\(found)")
    #expect(found.first?.contains("secret") == false)
  }

  @Test func `Credentials that only the service can see are passed over where that is asked for`() throws {
    let folder = try SettingsFolder()
    let file = try folder.file("stepgate.yaml", yaml.replacing("/etc/c.pem", with: "c.pem"))
    for environment in [[:], ["CREDENTIALS_DIRECTORY": "/nowhere"]] {
      let settings = try Settings.load(file: file, environment: environment, credentialsMayBeElsewhere: true)
      #expect(
        settings.credentialsElsewhere(environment: environment).keys.sorted() == [
          "mqtt.password_file", "mqtt.tls.ca_file", "mqtt.tls.certificate_file", "mqtt.tls.key_file",
        ])
      let error = #expect(throws: SettingsError.self) {
        try Settings.load(file: file, environment: environment)
      }
      #expect(error?.problems.count == 4)
    }
    // The folder can be looked into, and there is nothing in it.
    let environment = ["CREDENTIALS_DIRECTORY": folder.path]
    let error = #expect(throws: SettingsError.self) {
      try Settings.load(file: file, environment: environment, credentialsMayBeElsewhere: true)
    }
    #expect(error?.problems.count == 4)
  }

  @Test func `One that is missing is one line`() throws {
    let found = try problems(Array(good.dropFirst()))
    #expect(found.count == 1)
    #expect(
      found.first?.contains("mqtt.password_file: \"DIR/password\" cannot be read: No such file") == true)
  }
}
