// What the tests of the settings share: files in a temporary folder, and values that differ from every
// default.

import Foundation

@testable import Settings

/// A folder of its own, removed with the value's last reference.
final class SettingsFolder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "stepgate-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file, which others may read or not, and returns its path.
  func file(_ name: String, _ text: String, mode: Int = 0o640) throws -> String {
    let file = "\(path)/\(name)"
    try Data(text.utf8).write(to: URL(filePath: file))
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
    return file
  }
}

/// What loading a file of this text reports: a line a problem, with the file's path as `FILE`.
func problems(
  yaml: String, environment: [String: String] = [:], checksFiles: Bool = true
) throws -> [String] {
  let folder = try SettingsFolder()
  let file = try folder.file("stepgate.yaml", yaml)
  do throws(SettingsError) {
    _ = try Settings.load(file: file, environment: environment, checksFiles: checksFiles)
    return []
  } catch {
    return error.description.replacingOccurrences(of: file, with: "FILE").components(separatedBy: "\n")
  }
}

/// The settings of a file of this text.
func settings(yaml: String, environment: [String: String] = [:]) throws -> Settings {
  let folder = try SettingsFolder()
  let file = try folder.file("stepgate.yaml", yaml)
  return try Settings.load(file: file, environment: environment, checksFiles: false)
}

/// The repository's folder.
let repositoryPath = URL(filePath: #filePath).appending(path: "../../../..").standardized.path

/// A value for every key, none of them its default, with the settings that they make.
enum EveryKey {
  static let values: [(key: String, text: String)] = [
    ("mqtt.host", "broker.example"),
    ("mqtt.port", "8883"),
    ("mqtt.client_id", "gateway-7"),
    ("mqtt.username", "reader"),
    ("mqtt.password_file", "/etc/stepgate/password"),
    ("mqtt.tls.ca_file", "/etc/stepgate/ca.pem"),
    ("mqtt.tls.certificate_file", "/etc/stepgate/certificate.pem"),
    ("mqtt.tls.key_file", "/etc/stepgate/key.pem"),
    ("mqtt.keepalive", "30s"),
    ("mqtt.session_expiry", "1d"),
    ("mqtt.receive_maximum", "20"),
    ("topics.customer", "c/{email}"),
    ("topics.accelerometer", "a/{user}/#"),
    ("topics.step_trainer", "s/+/{serialNumber}"),
    ("customers.path", "/var/lib/customers"),
    ("consent.as_of", "presence"),
    ("join.pairing", "timestamp"),
    ("join.tolerance", "250ms"),
    ("join.allowed_lateness", "1m"),
    ("join.retention", "2m"),
    ("join.idle", "3m"),
    ("join.max_memory", "1GiB"),
    ("limits.max_message_bytes", "64KiB"),
    ("limits.future_skew", "1s"),
    ("landing.enabled", "true"),
    ("storage.directory", "/data"),
    ("storage.segment_bytes", "4096"),
    ("storage.segment_age", "1h"),
    ("storage.min_free_bytes", "0"),
    ("checkpoint.interval", "10s"),
    ("checkpoint.journal_bytes", "1MiB"),
    ("http.enabled", "false"),
    ("http.listen", "[::1]:0"),
    ("log.level", "debug"),
  ]

  static var settings: Settings {
    var settings = Settings()
    settings.mqtt.host = "broker.example"
    settings.mqtt.port = 8883
    settings.mqtt.clientID = "gateway-7"
    settings.mqtt.username = "reader"
    settings.mqtt.passwordFile = "/etc/stepgate/password"
    settings.mqtt.tls.caFile = "/etc/stepgate/ca.pem"
    settings.mqtt.tls.certificateFile = "/etc/stepgate/certificate.pem"
    settings.mqtt.tls.keyFile = "/etc/stepgate/key.pem"
    settings.mqtt.keepaliveMs = 30_000
    settings.mqtt.sessionExpiryMs = 86_400_000
    settings.mqtt.receiveMaximum = 20
    settings.topics.customer = "c/{email}"
    settings.topics.accelerometer = "a/{user}/#"
    settings.topics.stepTrainer = "s/+/{serialNumber}"
    settings.customers.path = "/var/lib/customers"
    settings.consent.asOf = .presence
    settings.join.pairing = .timestamp
    settings.join.toleranceMs = 250
    settings.join.allowedLatenessMs = 60_000
    settings.join.retentionMs = 120_000
    settings.join.idleMs = 180_000
    settings.join.maxMemoryBytes = 1_073_741_824
    settings.limits.maxMessageBytes = 65_536
    settings.limits.futureSkewMs = 1_000
    settings.landing.isEnabled = true
    settings.storage.directory = "/data"
    settings.storage.segmentBytes = 4_096
    settings.storage.segmentAgeMs = 3_600_000
    settings.storage.minFreeBytes = 0
    settings.checkpoint.intervalMs = 10_000
    settings.checkpoint.journalBytes = 1_048_576
    settings.http.isEnabled = false
    settings.http.listen = HostAndPort(host: "::1", port: 0)
    settings.log.level = .debug
    return settings
  }

  static var environment: [String: String] {
    let pairs = values.map { key, text in
      ("STEPGATE_" + key.uppercased().replacingOccurrences(of: ".", with: "_"), text)
    }
    return Dictionary(uniqueKeysWithValues: pairs)
  }
}
