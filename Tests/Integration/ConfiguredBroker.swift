// A mosquitto with the files of config/ as an operator installs them: beside Debian's own mosquitto.conf, in its
// folder conf.d.
//
// Invariants: only ports and paths differ from what is shipped, and each such replacement must have found what it
// replaces; the broker and its folder go with the value.

import Foundation
import Mosquitto
import Simulator
import TestSupport
import Testing

final class ConfiguredBroker {
  /// What the users of `mosquitto.acl`, a device and a phone are called. Each has the password "pw-" and its name.
  static let users = ["gateway", "customers", "monitor", "S1", "S2", "ada@x", "eve@x"]

  let folder: TemporaryFolder
  let port: UInt16
  let tlsPort: UInt16
  private let arguments: [String]
  private var process: ChildProcess?

  /// Starts it. With certificates (made by `make-test-certificates.sh`, in this folder) it has the listener of
  /// mosquitto-tls.conf too, and shows the certificate of this name.
  init(certificates: String? = nil, serverCertificate: String = "server") throws {
    folder = try TemporaryFolder()
    port = try freePort()
    tlsPort = try freePort()
    let path = folder.path
    arguments = ["-c", "\(path)/mosquitto.conf"]
    // Debian 12's /etc/mosquitto/mosquitto.conf, and first who it runs as: as root it would become "mosquitto",
    // who may not look into this folder.
    _ = try folder.file(
      "mosquitto.conf",
      """
      user \(NSUserName())
      pid_file \(path)/mosquitto.pid
      persistence true
      persistence_location \(path)/
      log_dest file \(path)/mosquitto.log
      include_dir \(path)/conf.d

      """)
    try install(
      "mosquitto.conf", as: "conf.d/stepgate.conf",
      replacing: [("listener 1883 ", "listener \(port) "), ("/etc/mosquitto/", "\(path)/")])
    try install("mosquitto.acl", as: "stepgate.acl", replacing: [])
    if let certificates {
      try install(
        "mosquitto-tls.conf", as: "conf.d/stepgate-tls.conf",
        replacing: [
          ("listener 8883", "listener \(tlsPort) 127.0.0.1"), ("/etc/mosquitto/certs/", "\(certificates)/"),
          ("/server.", "/\(serverCertificate)."),
        ])
    }
    let passwords = try folder.file("stepgate.passwd", "")
    for user in Self.users {
      try ChildProcess.run("/usr/bin/mosquitto_passwd", ["-b", passwords, user, "pw-\(user)"])
    }
    try start()
  }

  deinit { process?.kill() }

  /// Stops the broker in good order and starts it again, with what it saved.
  func restart() throws {
    try process?.stop()
    try start()
  }

  /// A gateway of this broker, as docs/operations.md sets it up: with its password, or with a certificate.
  func gateway(certificate: TLSOptions? = nil) throws -> GatewayFixture {
    var settings = [
      "topics.accelerometer": "stedi/accelerometer/{user}",
      "topics.step_trainer": "stedi/step_trainer/{serialNumber}",
    ]
    if let certificate {
      settings["mqtt.port"] = "\(tlsPort)"
      settings["mqtt.tls.ca_file"] = certificate.caFile
      settings["mqtt.tls.certificate_file"] = certificate.certificateFile
      settings["mqtt.tls.key_file"] = certificate.keyFile
    } else {
      settings["mqtt.port"] = "\(port)"
      settings["mqtt.username"] = "gateway"
      let password = try folder.file("mqtt-password", "pw-gateway\n")
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: password)
      settings["mqtt.password_file"] = password
    }
    return try GatewayFixture(settings: settings)
  }

  /// Publishes texts as a user; how many of them the broker refused.
  @discardableResult
  func publish(
    as user: String, clientID: String = "test", _ topic: String, _ texts: [String]
  ) throws -> Int {
    var options = ConnectOptions(host: "127.0.0.1", port: port, clientID: clientID)
    options.username = user
    options.password = Secret("pw-\(user)")
    return try Publisher(options).publish(texts.map { message(topic, $0) }).refused
  }

  /// The same with one text.
  @discardableResult
  func publish(
    as user: String, clientID: String = "test", _ topic: String, _ text: String
  ) throws -> Int {
    try publish(as: user, clientID: clientID, topic, [text])
  }

  /// The same over TLS, as whom a certificate names.
  @discardableResult
  func publish(with tls: TLSOptions, _ topic: String, _ text: String) throws -> Int {
    var options = ConnectOptions(host: "localhost", port: tlsPort, clientID: "test")
    options.tls = tls
    return try Publisher(options).publish([message(topic, text)]).refused
  }

  private func message(_ topic: String, _ text: String) -> OutgoingMessage {
    OutgoingMessage(topic: topic, payload: Array(text.utf8))
  }

  private func start() throws {
    let log = "\(folder.path)/mosquitto.log"
    try? FileManager.default.removeItem(atPath: log)
    let started = try ChildProcess("/usr/sbin/mosquitto", arguments)
    process = started
    let deadline = Date(timeIntervalSinceNow: 10)
    while (try? String(contentsOfFile: log, encoding: .utf8))?.contains(" running\n") != true {
      let said = started.lines(of: .error).joined(separator: "\n")
      try #require(started.ending == nil && Date() < deadline, "mosquitto does not start: \(said)")
      usleep(5_000)
    }
  }

  private func install(
    _ name: String, as path: String, replacing replacements: [(String, String)]
  ) throws {
    var text = try configFile(name)
    for (original, replacement) in replacements {
      try #require(text.contains("\(original)"), "config/\(name) no longer has \"\(original)\"")
      text = text.replacingOccurrences(of: original, with: replacement)
    }
    _ = try folder.file(path, text)
  }
}

/// The folder config/ of the repository.
let configFolder = URL(filePath: #filePath).appending(path: "../../../config").standardized.path

/// A file of config/.
func configFile(_ name: String) throws -> String {
  try String(contentsOfFile: "\(configFolder)/\(name)", encoding: .utf8)
}
