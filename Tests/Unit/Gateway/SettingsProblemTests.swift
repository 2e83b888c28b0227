// What an operator reads when a value is wrong: the exact lines, and all of them.

import Foundation
import Testing

@testable import Gateway

/// A key, a wrong text for it, and the line's part behind the key.
private let wrongValues: [(key: String, text: String, message: String)] = [
  (
    "mqtt.host", "'tcp://h'",
    "\"tcp://h\" is not a host; allowed: a host name or an IP address, without scheme and port"
  ),
  (
    "mqtt.host", "'h:1883'",
    "\"h:1883\" is not a host; allowed: a host name or an IP address, without scheme and port"
  ),
  (
    "mqtt.host", "'mqtt://u:secret@h'",
    "\"***\" is not a host; allowed: a host name or an IP address, without scheme and port"
  ),
  ("mqtt.host", "", "has no value; allowed: a host name or an IP address, without scheme and port"),
  ("mqtt.host", "''", "has no value; allowed: a host name or an IP address, without scheme and port"),
  ("mqtt.host", "[h]", "is a list; allowed: a host name or an IP address, without scheme and port"),
  (
    "mqtt.host", "{ name: h }", "is a section; allowed: a host name or an IP address, without scheme and port"
  ),
  ("mqtt.port", "0", "\"0\" is less than 1; allowed: a whole number from 1 to 65535"),
  ("mqtt.port", "65536", "\"65536\" is more than 65535; allowed: a whole number from 1 to 65535"),
  (
    "mqtt.port", "99999999999999999999",
    "\"99999999999999999999\" is more than 65535; allowed: a whole number from 1 to 65535"
  ),
  ("mqtt.port", "-1", "\"-1\" is not a whole number; allowed: a whole number from 1 to 65535"),
  ("mqtt.port", "0x10", "\"0x10\" is not a whole number; allowed: a whole number from 1 to 65535"),
  ("mqtt.port", "1883.0", "\"1883.0\" is not a whole number; allowed: a whole number from 1 to 65535"),
  (
    "mqtt.client_id", "\"a\\nb\"",
    "\"a\\nb\" has a control character; allowed: 1 to 65535 bytes of text without control characters"
  ),
  (
    "mqtt.keepalive", "4s",
    "\"4s\" is less than 5s; allowed: a number with ms, s, m, h or d, e.g. 100ms, from 5s to 65535s, in whole seconds"
  ),
  (
    "mqtt.keepalive", "1d",
    "\"1d\" is more than 65535s; allowed: a number with ms, s, m, h or d, e.g. 100ms, from 5s to 65535s, in whole seconds"
  ),
  (
    "mqtt.keepalive", "5500ms",
    "\"5500ms\" is not a whole number of seconds; allowed: a number with ms, s, m, h or d, e.g. 100ms, from 5s to 65535s, in whole seconds"
  ),
  (
    "mqtt.session_expiry", "0s",
    "\"0s\" is less than 1s; allowed: a number with ms, s, m, h or d, e.g. 100ms, from 1s to 3650d, in whole seconds"
  ),
  ("mqtt.receive_maximum", "0", "\"0\" is less than 1; allowed: a whole number from 1 to 65535"),
  ("mqtt.receive_maximum", "65536", "\"65536\" is more than 65535; allowed: a whole number from 1 to 65535"),
  (
    "topics.customer", "a/#/b",
    "\"a/#/b\" has # before its last level; allowed: an MQTT topic filter, + for a level, # for all that follow, one level may be {email} or {serialNumber}"
  ),
  (
    "topics.accelerometer", "a/{serialNumber}",
    "\"a/{serialNumber}\" has the unknown placeholder {serialNumber}; allowed: an MQTT topic filter, + for a level, # for all that follow, one level may be {user}"
  ),
  (
    "topics.step_trainer", "a/{user}",
    "\"a/{user}\" has the unknown placeholder {user}; allowed: an MQTT topic filter, + for a level, # for all that follow, one level may be {serialNumber}"
  ),
  ("consent.as_of", "always", "\"always\" is not one of the choices; allowed: enforce, presence"),
  ("join.pairing", "Owner", "\"Owner\" is not one of the choices; allowed: owner, timestamp"),
  ("join.tolerance", "abc", "\"abc\" is not a duration; allowed: a number with ms, s, m, h or d, e.g. 100ms"),
  ("join.tolerance", "100", "\"100\" is not a duration; allowed: a number with ms, s, m, h or d, e.g. 100ms"),
  (
    "join.tolerance", "-1ms",
    "\"-1ms\" is not a duration; allowed: a number with ms, s, m, h or d, e.g. 100ms"
  ),
  (
    "join.tolerance", "3651d",
    "\"3651d\" is more than 3650d; allowed: a number with ms, s, m, h or d, e.g. 100ms"
  ),
  (
    "join.idle", "999ms",
    "\"999ms\" is less than 1s; allowed: a number with ms, s, m, h or d, e.g. 100ms, from 1s to 3650d"
  ),
  (
    "join.max_memory", "1",
    "\"1\" is less than 1MiB; allowed: a number of bytes or one with KiB, MiB or GiB, e.g. 64MiB, from 1MiB to 1048576GiB"
  ),
  (
    "limits.max_message_bytes", "1023",
    "\"1023\" is less than 1KiB; allowed: a number of bytes or one with KiB, MiB or GiB, e.g. 64MiB, from 1KiB to 256MiB"
  ),
  (
    "limits.max_message_bytes", "268435457",
    "\"268435457\" is more than 256MiB; allowed: a number of bytes or one with KiB, MiB or GiB, e.g. 64MiB, from 1KiB to 256MiB"
  ),
  ("landing.enabled", "yes", "\"yes\" is neither true nor false; allowed: true, false"),
  (
    "storage.segment_bytes", "4KiB5",
    "\"4KiB5\" is not a size; allowed: a number of bytes or one with KiB, MiB or GiB, e.g. 64MiB, from 4KiB to 1048576GiB"
  ),
  (
    "storage.segment_bytes", "4095",
    "\"4095\" is less than 4KiB; allowed: a number of bytes or one with KiB, MiB or GiB, e.g. 64MiB, from 4KiB to 1048576GiB"
  ),
  (
    "storage.min_free_bytes", "1TB",
    "\"1TB\" is not a size; allowed: a number of bytes or one with KiB, MiB or GiB, e.g. 64MiB, from 0 to 1048576GiB"
  ),
  (
    "checkpoint.interval", "0s",
    "\"0s\" is less than 1s; allowed: a number with ms, s, m, h or d, e.g. 100ms, from 1s to 3650d"
  ),
  (
    "checkpoint.journal_bytes", "1KiB",
    "\"1KiB\" is less than 1MiB; allowed: a number of bytes or one with KiB, MiB or GiB, e.g. 64MiB, from 1MiB to 1048576GiB"
  ),
  (
    "http.listen", "9464",
    "\"9464\" is not a host with a port; allowed: HOST:PORT, e.g. 127.0.0.1:9464 or [::1]:9464"
  ),
  (
    "http.listen", "'127.0.0.1:65536'",
    "\"127.0.0.1:65536\" is not a host with a port; allowed: HOST:PORT, e.g. 127.0.0.1:9464 or [::1]:9464"
  ),
  (
    "http.listen", "'::1:9464'",
    "\"::1:9464\" is not a host with a port; allowed: HOST:PORT, e.g. 127.0.0.1:9464 or [::1]:9464"
  ),
  (
    "log.level", "verbose",
    "\"verbose\" is not one of the choices; allowed: trace, debug, info, notice, warning, error, critical"
  ),
]

/// Settings that are right each by itself and wrong together, with all that is said of them.
private let wrongCombinations: [(yaml: String, messages: [String])] = [
  (
    "join:\n  tolerance: 10s\n  retention: 5s",
    [
      "FILE:3: join.retention: join.retention (5s) is shorter than join.tolerance (10s); allowed: a retention of at least the tolerance"
    ]
  ),
  (
    "join:\n  tolerance: 16m",
    [
      "FILE:2: join.tolerance: join.retention (15m) is shorter than join.tolerance (16m); allowed: a retention of at least the tolerance"
    ]
  ),
  (
    "topics:\n  customer: all/+\n  accelerometer: all/{user}",
    [
      "FILE:3: topics.accelerometer: \"all/{user}\" can match the same topic as topics.customer; allowed: filters that share no topic"
    ]
  ),
  (
    "topics:\n  customer: '#'",
    [
      "FILE:2: topics.customer: \"#\" can match the same topic as topics.accelerometer; allowed: filters that share no topic"
    ]
  ),
  (
    "mqtt:\n  password_file: p",
    ["FILE:2: mqtt.password_file: \"p\" is set without mqtt.username; allowed: both or only the name"]
  ),
  (
    "mqtt:\n  tls:\n    ca_file: a\n    certificate_file: c",
    ["FILE:4: mqtt.tls.certificate_file: \"c\" is set without mqtt.tls.key_file; allowed: both or neither"]
  ),
  (
    "mqtt:\n  tls:\n    ca_file: a\n    key_file: k",
    ["FILE:4: mqtt.tls.key_file: \"k\" is set without mqtt.tls.certificate_file; allowed: both or neither"]
  ),
  (
    "mqtt:\n  tls:\n    certificate_file: c\n    key_file: k",
    [
      "FILE:3: mqtt.tls.certificate_file: \"c\" is set without mqtt.tls.ca_file; allowed: TLS is on when mqtt.tls.ca_file is set",
      "FILE:4: mqtt.tls.key_file: \"k\" is set without mqtt.tls.ca_file; allowed: TLS is on when mqtt.tls.ca_file is set",
    ]
  ),
]

@Suite struct SettingsProblemTests {
  @Test(arguments: wrongValues)
  func `A wrong value is told with its line, its key and what is allowed`(
    key: String, text: String, message: String
  ) throws {
    let (section, name) = (key.components(separatedBy: ".")[0], key.components(separatedBy: ".")[1])

    #expect(
      try problems(yaml: "# A comment.\n\(section):\n  \(name): \(text)\n") == ["FILE:3: \(key): \(message)"])
  }

  @Test(arguments: wrongCombinations)
  func `Values that contradict each other are told at the one that was given`(
    yaml: String, messages: [String]
  ) throws {
    #expect(try problems(yaml: yaml, checksFiles: false) == messages)
  }

  @Test func `A wrong variable is told by its name`() throws {
    #expect(
      try problems(yaml: "join:\n  tolerance: 1s\n", environment: ["STEPGATE_JOIN_TOLERANCE": "abc"]) == [
        "STEPGATE_JOIN_TOLERANCE: join.tolerance: \"abc\" is not a duration; allowed: a number with ms, s, m, h or d, e.g. 100ms"
      ])
    #expect(
      try problems(yaml: "", environment: ["STEPGATE_MQTT_PORT": ""]) == [
        "STEPGATE_MQTT_PORT: mqtt.port: has no value; allowed: a whole number from 1 to 65535"
      ])
  }

  @Test func `An unknown variable is refused with a hint, and its value is not shown`() throws {
    let environment = ["STEPGATE_MQTT_PASSWORD": "hunter2", "STEPGATE_MQTT_PROT": "1", "STEPGATE_XYZZY": "1"]

    #expect(
      try problems(yaml: "", environment: environment) == [
        "STEPGATE_MQTT_PASSWORD: unknown setting; did you mean STEPGATE_MQTT_PASSWORD_FILE?",
        "STEPGATE_MQTT_PROT: unknown setting; did you mean STEPGATE_MQTT_PORT?",
        "STEPGATE_XYZZY: unknown setting",
      ])
  }

  @Test func `All problems are told at once, by line, then by variable`() throws {
    let yaml = """
      log: { level: loud }
      mqtt:
        hots: h
        port: 0
      join:
        tolerance: 1
        retention: 2
      """
    let environment = ["STEPGATE_HTTP_LISTEN": "x", "STEPGATE_CONSENT_AS_OF": "x"]
    let places = try problems(yaml: yaml, environment: environment).map { line in
      line.components(separatedBy: ": ").prefix(2).joined(separator: " ")
    }

    #expect(
      places == [
        "FILE:1 log.level", "FILE:3 mqtt.hots", "FILE:4 mqtt.port", "FILE:6 join.tolerance",
        "FILE:7 join.retention", "STEPGATE_CONSENT_AS_OF consent.as_of", "STEPGATE_HTTP_LISTEN http.listen",
      ])
  }

  @Test func `A value that cannot be read is not compared with others`() throws {
    // The tolerance would be longer than the default retention, which is not what was given.
    let messages = try problems(yaml: "join:\n  tolerance: 1h\n  retention: long\n")

    #expect(messages.count == 1)
    #expect(messages[0].hasPrefix("FILE:3: join.retention: \"long\" is not a duration"))
  }

  @Test func `A problem stays on one line, whatever the value is`() throws {
    let long = String(repeating: "x", count: 1_000)
    let messages = try problems(yaml: "consent:\n  as_of: \"a\\nb\\e[31m\(long)\"\n")

    #expect(messages.count == 1)
    #expect(messages[0].hasPrefix("FILE:2: consent.as_of: \"a\\nb\\u{1B}[31mxxx"))
    #expect(messages[0].count < 200)
  }

  @Test func `A file that a setting names must be there and readable`() throws {
    let folder = try SettingsFolder()
    let password = try folder.file("password", "secret\n")
    let yaml = """
      mqtt:
        username: u
        password_file: \(password)
        tls:
          ca_file: /nowhere/ca.pem
          certificate_file: \(password)
          key_file: \(folder.path)
      customers:
        path: \(folder.path)
      """

    #expect(
      try problems(yaml: yaml) == [
        "FILE:5: mqtt.tls.ca_file: \"/nowhere/ca.pem\" cannot be read: No such file or directory; allowed: a file that can be read",
        "FILE:7: mqtt.tls.key_file: \"\(folder.path)\" cannot be read: Is a directory; allowed: a file that can be read",
      ])
    #expect(try problems(yaml: yaml, checksFiles: false) == [])
    #expect(
      try problems(yaml: "customers:\n  path: /nowhere\n") == [
        "FILE:2: customers.path: \"/nowhere\" cannot be read: No such file or directory; allowed: a file or a folder that can be read"
      ])
  }
}
