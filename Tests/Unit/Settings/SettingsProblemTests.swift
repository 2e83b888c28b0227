// What an operator reads when a value is wrong: the exact lines, and all of them.

import Foundation
import Testing

@testable import Settings

private let host = "a host name or an IP address, without scheme and port"
private let count16 = "a whole number from 1 to 65535"
private let duration = "a number with ms, s, m, h or d, e.g. 100ms"
private let size = "a number of bytes or one with KiB, MiB or GiB, e.g. 64MiB"
private let filter = "an MQTT topic filter, + for a level, # for all that follow, one level may be"
private let listen = "HOST:PORT, e.g. 127.0.0.1:9464 or [::1]:9464"

/// A key, a wrong value for it as YAML, and what is said of it.
private let wrongValues: [(key: String, yaml: String, problem: String, allowed: String)] = [
  ("mqtt.host", "tcp://h", #""tcp://h" is not a host"#, host),
  ("mqtt.host", "h:1883", #""h:1883" is not a host"#, host),
  ("mqtt.host", "mqtt://u:secret@h", #""***" is not a host"#, host),
  ("mqtt.host", "", "has no value", host),
  ("mqtt.host", "''", "has no value", host),
  ("mqtt.host", "[h]", "is a list", host),
  ("mqtt.host", "{ name: h }", "is a section", host),
  ("mqtt.port", "0", #""0" is less than 1"#, count16),
  ("mqtt.port", "65536", #""65536" is more than 65535"#, count16),
  ("mqtt.port", "99999999999999999999", #""99999999999999999999" is more than 65535"#, count16),
  ("mqtt.port", "-1", #""-1" is not a whole number"#, count16),
  ("mqtt.port", "0x10", #""0x10" is not a whole number"#, count16),
  ("mqtt.port", "1883.0", #""1883.0" is not a whole number"#, count16),
  (
    "mqtt.client_id", #""a\nb""#, #""a\nb" has a control character"#,
    "1 to 65535 bytes of text without control characters"
  ),
  ("mqtt.keepalive", "4s", #""4s" is less than 5s"#, duration + ", from 5s to 65535s, in whole seconds"),
  ("mqtt.keepalive", "1d", #""1d" is more than 65535s"#, duration + ", from 5s to 65535s, in whole seconds"),
  (
    "mqtt.keepalive", "5500ms", #""5500ms" is not a whole number of seconds"#,
    duration + ", from 5s to 65535s, in whole seconds"
  ),
  ("mqtt.session_expiry", "0s", #""0s" is less than 1s"#, duration + ", at least 1s, in whole seconds"),
  ("mqtt.receive_maximum", "0", #""0" is less than 1"#, count16),
  ("mqtt.receive_maximum", "65536", #""65536" is more than 65535"#, count16),
  (
    "topics.customer", "a/#/b", #""a/#/b" has # before its last level"#, filter + " {email} or {serialNumber}"
  ),
  (
    "topics.accelerometer", "a/{email}", #""a/{email}" has an unknown placeholder"#, filter + " {user}"
  ),
  (
    "topics.step_trainer", "a/{user}", #""a/{user}" has an unknown placeholder"#, filter + " {serialNumber}"
  ),
  (
    "topics.accelerometer", "'{user}/{user}'", #""{user}/{user}" has more than one placeholder"#,
    filter + " {user}"
  ),
  (
    "topics.accelerometer", "a/+b", #""a/+b" has + or # in a level with other characters"#,
    filter + " {user}"
  ),
  (
    "topics.accelerometer", "$share/group/a", #""$share/group/a" is a shared subscription"#,
    filter + " {user}"
  ),
  ("topics.accelerometer", #""a\tb""#, #""a\tb" has a control character"#, filter + " {user}"),
  ("customers.path", #""a\0b""#, #""a\0b" has a control character"#, "a path"),
  ("consent.as_of", "always", #""always" is not one of the choices"#, "enforce, presence"),
  ("join.pairing", "Owner", #""Owner" is not one of the choices"#, "owner, timestamp"),
  ("join.tolerance", "abc", #""abc" is not a duration"#, duration),
  ("join.tolerance", "100", #""100" is not a duration"#, duration),
  ("join.tolerance", "-1ms", #""-1ms" is not a duration"#, duration),
  ("join.tolerance", "3651d", #""3651d" is more than 3650d"#, duration),
  ("join.allowed_lateness", "10", #""10" is not a duration"#, duration),
  ("join.retention", "~", "has no value", duration),
  ("join.idle", "999ms", #""999ms" is less than 1s"#, duration + ", at least 1s"),
  ("join.max_memory", "1", #""1" is less than 1MiB"#, size + ", at least 1MiB"),
  ("limits.max_message_bytes", "1023", #""1023" is less than 1KiB"#, size + ", from 1KiB to 256MiB"),
  (
    "limits.max_message_bytes", "268435457", #""268435457" is more than 256MiB"#,
    size + ", from 1KiB to 256MiB"
  ),
  ("limits.future_skew", "5", #""5" is not a duration"#, duration),
  ("landing.enabled", "yes", #""yes" is neither true nor false"#, "true, false"),
  ("storage.segment_bytes", "4KiB5", #""4KiB5" is not a size"#, size + ", at least 4KiB"),
  ("storage.segment_bytes", "4095", #""4095" is less than 4KiB"#, size + ", at least 4KiB"),
  ("storage.segment_age", "1ms", #""1ms" is less than 1s"#, duration + ", at least 1s"),
  ("storage.min_free_bytes", "1TB", #""1TB" is not a size"#, size),
  ("storage.min_free_bytes", "1048577GiB", #""1048577GiB" is more than 1048576GiB"#, size),
  ("checkpoint.interval", "0s", #""0s" is less than 1s"#, duration + ", at least 1s"),
  ("checkpoint.journal_bytes", "1KiB", #""1KiB" is less than 1MiB"#, size + ", at least 1MiB"),
  ("http.enabled", "1", #""1" is neither true nor false"#, "true, false"),
  ("http.listen", "9464", #""9464" is not a host with a port"#, listen),
  ("http.listen", "127.0.0.1:65536", #""127.0.0.1:65536" is not a host with a port"#, listen),
  ("http.listen", "'::1:9464'", #""::1:9464" is not a host with a port"#, listen),
  (
    "log.level", "verbose", #""verbose" is not one of the choices"#,
    "trace, debug, info, notice, warning, error, critical"
  ),
]

/// Settings that are right each by itself and wrong together, with the lines and what is said of them.
private let wrongCombinations: [(yaml: String, messages: [String])] = [
  (
    "join:\n  tolerance: 10s\n  retention: 5s",
    [#"3: join.retention: "5s" is shorter than join.tolerance (10s); allowed: at least join.tolerance"#]
  ),
  (
    "join:\n  tolerance: 16m",
    [#"2: join.tolerance: "16m" is longer than join.retention (15m); allowed: at most join.retention"#]
  ),
  (
    "topics:\n  customer: all/+\n  accelerometer: all/{user}",
    [
      #"3: topics.accelerometer: "all/{user}" can match the same topic as topics.customer; "#
        + "allowed: filters that no topic matches twice"
    ]
  ),
  (
    "topics:\n  customer: stedi/step_trainer/+",
    [
      #"2: topics.customer: "stedi/step_trainer/+" can match the same topic as topics.step_trainer; "#
        + "allowed: filters that no topic matches twice"
    ]
  ),
  (
    "mqtt:\n  password_file: p",
    [#"2: mqtt.password_file: "p" is set without mqtt.username; allowed: both or only the name"#]
  ),
  (
    "mqtt:\n  tls:\n    ca_file: a\n    certificate_file: c",
    [#"4: mqtt.tls.certificate_file: "c" is set without mqtt.tls.key_file; allowed: both or neither"#]
  ),
  (
    "mqtt:\n  tls:\n    ca_file: a\n    key_file: k",
    [#"4: mqtt.tls.key_file: "k" is set without mqtt.tls.certificate_file; allowed: both or neither"#]
  ),
  (
    "mqtt:\n  tls:\n    certificate_file: c\n    key_file: k",
    [
      #"3: mqtt.tls.certificate_file: "c" is set without mqtt.tls.ca_file; "#
        + "allowed: TLS is on when mqtt.tls.ca_file is set",
      #"4: mqtt.tls.key_file: "k" is set without mqtt.tls.ca_file; "#
        + "allowed: TLS is on when mqtt.tls.ca_file is set",
    ]
  ),
]

@Suite struct SettingsProblemTests {
  @Test(arguments: wrongValues)
  func `A wrong value is told with its line, its key and what is allowed`(
    key: String, yaml: String, problem: String, allowed: String
  ) throws {
    let parts = key.components(separatedBy: ".")
    let file = "# A comment.\n\(parts[0]):\n  \(parts[1]): \(yaml)\n"

    #expect(try problems(yaml: file) == ["FILE:3: \(key): \(problem); allowed: \(allowed)"])
  }

  @Test(arguments: wrongCombinations)
  func `Values that contradict each other are told at the one that was given`(
    yaml: String, messages: [String]
  ) throws {
    #expect(try problems(yaml: yaml, checksFiles: false) == messages.map { "FILE:" + $0 })
  }

  @Test func `A wrong variable is told by its name`() throws {
    #expect(
      try problems(yaml: "join:\n  tolerance: 1s\n", environment: ["STEPGATE_JOIN_TOLERANCE": "abc"]) == [
        "STEPGATE_JOIN_TOLERANCE: join.tolerance: \"abc\" is not a duration; allowed: \(duration)"
      ])
    #expect(
      try problems(yaml: "", environment: ["STEPGATE_MQTT_PORT": ""]) == [
        "STEPGATE_MQTT_PORT: mqtt.port: has no value; allowed: \(count16)"
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
          ca_file: /nowhere
          certificate_file: \(password)
          key_file: \(folder.path)
      customers:
        path: \(folder.path)
      """

    let missing = #""/nowhere" cannot be read: No such file or directory"#
    #expect(
      try problems(yaml: yaml) == [
        "FILE:5: mqtt.tls.ca_file: \(missing); allowed: a file that can be read",
        "FILE:7: mqtt.tls.key_file: \"\(folder.path)\" cannot be read: Is a directory; "
          + "allowed: a file that can be read",
      ])
    #expect(try problems(yaml: yaml, checksFiles: false) == [])
    #expect(
      try problems(yaml: "customers:\n  path: /etc/passwd/x\n") == [
        #"FILE:2: customers.path: "/etc/passwd/x" cannot be read: Not a directory; "#
          + "allowed: a file or a folder that can be read"
      ])
    // That one is waited for.
    #expect(try problems(yaml: "customers:\n  path: /nowhere\n") == [])
  }

  @Test(arguments: [
    "data", "data/", "data/customers", "data/customers/c.json", "data/./customers//",
    "other/../data/customers", "link",
    "link/customers", ".", "",
  ])
  func `Customer files in the data folder, or around it, are refused, by whatever name`(place: String) throws
  {
    let folder = try SettingsFolder()
    let manager = FileManager.default
    for name in ["data/customers", "other"] {
      try manager.createDirectory(atPath: "\(folder.path)/\(name)", withIntermediateDirectories: true)
    }
    _ = try folder.file("data/customers/c.json", "{}")
    try manager.createSymbolicLink(
      atPath: "\(folder.path)/link", withDestinationPath: "\(folder.path)/data")
    let path = "\(folder.path)/\(place)"
    for data in ["data", "link", "other/../data/"].map({ "\(folder.path)/\($0)" }) {
      let problem = "\"\(path)\" overlaps with storage.directory (\(data))"
      #expect(
        try problems(yaml: "storage:\n  directory: \(data)\ncustomers:\n  path: \(path)\n") == [
          "FILE:4: customers.path: \(problem); allowed: a place outside of that folder, and not above it"
        ])
    }
  }

  @Test func `Customer files beside the data folder are fine, also if that is not there yet`() throws {
    let folder = try SettingsFolder()
    for name in ["data-customers", "customers.json"] {
      _ = try folder.file(name, "")
      let yaml = "storage:\n  directory: \(folder.path)/data\ncustomers:\n  path: \(folder.path)/\(name)\n"
      #expect(try problems(yaml: yaml) == [])
    }
    let missing = "storage:\n  directory: \(folder.path)/a/b/c\ncustomers:\n  path: \(folder.path)\n"
    #expect(try problems(yaml: missing).count == 1)
  }
}
