// Where values come from: the defaults, the file, the environment.

import Foundation
import Testing

@testable import Settings

@Suite struct SettingsLoadTests {
  @Test func `Without a file the documented defaults run`() throws {
    let settings = try Settings.load(file: nil, environment: [:])

    #expect(settings == Settings())
    #expect(settings.mqtt.host == "127.0.0.1")
    #expect(settings.mqtt.port == 1883)
    #expect(settings.mqtt.clientID == "stepgate")
    #expect(settings.mqtt.username == nil)
    #expect(settings.mqtt.passwordFile == nil)
    #expect(settings.mqtt.tls.caFile == nil)
    #expect(settings.mqtt.tls.certificateFile == nil)
    #expect(settings.mqtt.tls.keyFile == nil)
    #expect(!settings.mqtt.tls.isEnabled)
    #expect(settings.mqtt.keepaliveMs == 60_000)
    #expect(settings.mqtt.sessionExpiryMs == 604_800_000)
    #expect(settings.mqtt.receiveMaximum == 10_000)
    #expect(settings.topics.customer == "stedi/customer/#")
    #expect(settings.topics.accelerometer == "stedi/accelerometer/#")
    #expect(settings.topics.stepTrainer == "stedi/step_trainer/#")
    #expect(settings.customers.path == nil)
    #expect(settings.consent.asOf == .enforce)
    #expect(settings.join.pairing == .owner)
    #expect(settings.join.toleranceMs == 100)
    #expect(settings.join.allowedLatenessMs == 600_000)
    #expect(settings.join.retentionMs == 900_000)
    #expect(settings.join.idleMs == 900_000)
    #expect(settings.join.maxMemoryBytes == 536_870_912)
    #expect(settings.limits.maxMessageBytes == 1_048_576)
    #expect(settings.limits.futureSkewMs == 300_000)
    #expect(!settings.landing.isEnabled)
    #expect(settings.storage.directory == "./stepgate-data")
    #expect(settings.storage.segmentBytes == 67_108_864)
    #expect(settings.storage.segmentAgeMs == 86_400_000)
    #expect(settings.storage.minFreeBytes == 268_435_456)
    #expect(settings.checkpoint.intervalMs == 300_000)
    #expect(settings.checkpoint.journalBytes == 268_435_456)
    #expect(settings.http.isEnabled)
    #expect(settings.http.listen.description == "127.0.0.1:9464")
    #expect(settings.log.level == .info)
  }

  @Test func `The shipped file has every key in the table's order, and its values are the defaults`() throws {
    let path = "\(repositoryPath)/config/stepgate.yaml"
    let entries = SettingsFile(path: path).entries

    #expect(try Settings.load(file: path, environment: [:]) == Settings())
    #expect(entries.sorted { $0.value.line < $1.value.line }.map(\.key) == Setting.all.map(\.key))
  }

  @Test func `Every key of the file reaches its place`() throws {
    let everyKey = """
      mqtt:
        host: broker.example
        port: 8883
        client_id: gateway-7
        username: reader
        password_file: /etc/stepgate/password
        tls:
          ca_file: /etc/stepgate/ca.pem
          certificate_file: /etc/stepgate/certificate.pem
          key_file: /etc/stepgate/key.pem
        keepalive: 30s
        session_expiry: 1d
        receive_maximum: 20
      topics:
        customer: c/{email}
        accelerometer: a/{user}/#
        step_trainer: s/+/{serialNumber}
      customers: { path: /var/lib/customers }
      consent: { as_of: presence }
      join:
        pairing: timestamp
        tolerance: 250ms
        allowed_lateness: 1m
        retention: 2m
        idle: 3m
        max_memory: 1GiB
      limits:
        max_message_bytes: 64KiB
        future_skew: 1s
      landing: { enabled: true }
      storage:
        directory: /data
        segment_bytes: 4096
        segment_age: 1h
        min_free_bytes: 0
      checkpoint:
        interval: 10s
        journal_bytes: 1MiB
      http:
        enabled: false
        listen: "[::1]:0"
      log: { level: debug }
      """
    #expect(try settings(yaml: everyKey) == EveryKey.settings)
  }

  @Test func `Every key can be overridden by its environment variable`() throws {
    let settings = try Settings.load(file: nil, environment: EveryKey.environment, checksFiles: false)

    #expect(settings == EveryKey.settings)
  }

  @Test func `The examples of this test have every key and no default`() throws {
    #expect(EveryKey.values.map(\.key) == Setting.all.map(\.key))
    for (key, text) in EveryKey.values {
      var settings = Settings()
      try #require(Setting.byKey[key]).assign(text, &settings)
      #expect(settings != Settings(), "\(text) is the default of \(key)")
    }
  }

  @Test(arguments: [
    ("mqtt.port", "1"), ("mqtt.port", "65535"), ("mqtt.receive_maximum", "1"),
    ("mqtt.receive_maximum", "65535"),
    ("mqtt.keepalive", "5s"), ("mqtt.keepalive", "65535s"), ("mqtt.keepalive", "5000ms"),
    ("mqtt.session_expiry", "1s"), ("mqtt.session_expiry", "3650d"), ("mqtt.host", "::1"),
    ("join.tolerance", "0ms"), ("join.tolerance", "15m"), ("join.retention", "100ms"),
    ("join.allowed_lateness", "0s"), ("join.idle", "1s"), ("join.max_memory", "1048576GiB"),
    ("limits.max_message_bytes", "1024"), ("limits.max_message_bytes", "256MiB"),
    ("limits.future_skew", "0d"),
    ("storage.segment_bytes", "4KiB"), ("storage.min_free_bytes", "0"), ("http.listen", "0.0.0.0:65535"),
  ])
  func `A bound itself is allowed`(key: String, text: String) throws {
    let setting = try #require(Setting.byKey[key])
    var expected = Settings()
    try setting.assign(text, &expected)

    #expect(try Settings.load(file: nil, environment: [setting.environmentVariable: text]) == expected)
  }

  @Test func `The environment goes before the file, key by key`() throws {
    let yaml = "mqtt:\n  host: from-file\n  port: 1\n"
    let settings = try settings(yaml: yaml, environment: ["STEPGATE_MQTT_HOST": "from-environment"])

    #expect(settings.mqtt.host == "from-environment")
    #expect(settings.mqtt.port == 1)
  }

  @Test func `An empty variable takes back an optional value of the file`() throws {
    let yaml = "mqtt:\n  username: somebody\n"

    #expect(try settings(yaml: yaml).mqtt.username == "somebody")
    #expect(try settings(yaml: yaml, environment: ["STEPGATE_MQTT_USERNAME": ""]).mqtt.username == nil)
  }

  @Test func `A right variable heals a wrong value of the file`() throws {
    let settings = try settings(
      yaml: "join:\n  tolerance: abc\n", environment: ["STEPGATE_JOIN_TOLERANCE": "1s"])

    #expect(settings.join.toleranceMs == 1_000)
  }

  @Test(arguments: [
    ([:], "./stepgate-data"),
    (["STATE_DIRECTORY": ""], "./stepgate-data"),
    (["STATE_DIRECTORY": "/var/lib/stepgate"], "/var/lib/stepgate"),
    (["STATE_DIRECTORY": "/var/lib/stepgate:/var/lib/other"], "/var/lib/stepgate"),
    (["STATE_DIRECTORY": "/var/lib/stepgate", "STEPGATE_STORAGE_DIRECTORY": "/data"], "/data"),
    (["STATE_DIRECTORY": "/var/lib/stepgate", "STEPGATE_STORAGE_DIRECTORY": ""], "/var/lib/stepgate"),
  ])
  func `The data is where systemd says, unless the settings say otherwise`(
    environment: [String: String], directory: String
  ) throws {
    #expect(try Settings.load(file: nil, environment: environment).storage.directory == directory)
    #expect(
      try settings(yaml: "storage:\n  directory:\n", environment: environment).storage.directory == directory)
  }

  @Test func `Variables of tests and of others are left alone`() throws {
    let environment = ["STEPGATE_TEST_SEED": "1", "STEPGATEWAY": "x", "MQTT_HOST": "x", "PATH": "/bin"]

    #expect(try Settings.load(file: nil, environment: environment) == Settings())
  }
}
