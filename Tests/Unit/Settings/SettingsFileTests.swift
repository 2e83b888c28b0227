// What YAML files hold besides settings: nothing, mistakes of layout, keys that do not exist.

import Foundation
import Testing

@testable import Settings

@Suite struct SettingsFileTests {
  @Test(arguments: [
    "", "\n\n", "# Nothing but a comment.\n", "---\n", "~\n", "null\n", "{}\n", "mqtt:\njoin: {}\n",
  ])
  func `A file without settings is the defaults`(yaml: String) throws {
    #expect(try settings(yaml: yaml) == Settings())
  }

  @Test(arguments: ["~", "null", "Null", "NULL", "''", "\"\"", ""])
  func `An optional key without a value is as if it were not there`(text: String) throws {
    #expect(try settings(yaml: "mqtt:\n  username: \(text)\n").mqtt.username == nil)
  }

  @Test func `A file from another editor, with a byte order mark and CRLF, is read alike`() throws {
    #expect(try settings(yaml: "\u{FEFF}mqtt:\r\n  port: 5\r\n").mqtt.port == 5)
  }

  @Test func `A quoted word is a word, whatever YAML would make of it`() throws {
    #expect(try settings(yaml: "mqtt:\n  username: 'null'\n").mqtt.username == "null")
    #expect(try settings(yaml: "mqtt:\n  client_id: 007\n").mqtt.clientID == "007")
    #expect(try settings(yaml: "mqtt:\n  port: \"1884\"\n").mqtt.port == 1884)
  }

  @Test(arguments: [
    ("mqtt: 5", "FILE:1: mqtt: is not a section"),
    ("mqtt: ''", "FILE:1: mqtt: is not a section"),
    ("mqtt: [host]", "FILE:1: mqtt: is not a section"),
    ("mqtt:\n  tls: on", "FILE:2: mqtt.tls: is not a section"),
    ("- mqtt", "FILE:1: not a mapping"),
    ("stepgate", "FILE:1: not a mapping"),
    ("mqtt.host: h", "FILE:1: mqtt.host: has a dot"),
    ("mqtt:\n  [a, b]: h", "FILE:2: mqtt: has a key that is not a word"),
    ("mqtt:\n\thost: h", "FILE:2: not YAML: "),
    ("mqtt:\n  host: h\n port: 1", "FILE:3: not YAML: "),
    ("mqtt:\n  host: \"h", "FILE:2: not YAML: "),
    ("mqtt:\n---\njoin:\n", "FILE:2: not YAML: expected a single document in the stream"),
    ("mqtt:\n  host: a\u{0}b", "FILE:2: not YAML: control characters are not allowed"),
    ("mqtt: *broker", "FILE:1: not YAML: found undefined alias"),
    ("mqtt:\n  host: a\n  port: 1\n  host: b", "FILE:2: more than once in one section: host"),
    ("mqtt:\n  port: 1\nmqtt:\n  port: 2", "FILE:1: more than once in one section: mqtt"),
  ])
  func `A mistake of layout is told with its line`(yaml: String, beginning: String) throws {
    let messages = try problems(yaml: yaml)

    #expect(messages.count == 1)
    #expect(messages.first?.hasPrefix(beginning) == true, "\(messages)")
  }

  @Test func `A section that is a value is told which keys it has`() throws {
    #expect(
      try problems(yaml: "http: 127.0.0.1:80") == [
        "FILE:1: http: is not a section; allowed: below it http.enabled, http.listen"
      ])
  }

  @Test(arguments: [
    ("mqtt:\n  hots: h", "FILE:2: mqtt.hots: unknown key; did you mean mqtt.host?"),
    ("mqtt:\n  password: hunter2", "FILE:2: mqtt.password: unknown key; did you mean mqtt.password_file?"),
    ("host: h", "FILE:1: host: unknown key; did you mean mqtt.host?"),
    ("mqt:\n  host: h\n  port: 1", "FILE:1: mqt: unknown key; did you mean mqtt?"),
    ("mqtt:\n  TLS:\n    ca_file: f", "FILE:2: mqtt.TLS: unknown key; did you mean mqtt.tls?"),
    ("flux_capacitor: 1", "FILE:1: flux_capacitor: unknown key"),
  ])
  func `An unknown key is refused with a hint, and its value is not shown`(yaml: String, message: String)
    throws
  {
    #expect(try problems(yaml: yaml) == [message])
  }

  @Test func `A mistake of layout does not hide a wrong variable`() throws {
    let messages = try problems(yaml: "mqtt:\n\thost: h", environment: ["STEPGATE_MQTT_PORT": "x"])

    #expect(messages.count == 2)
    #expect(messages.last?.hasPrefix("STEPGATE_MQTT_PORT: mqtt.port: \"x\" is not a whole number") == true)
  }

  @Test func `What the YAML parser complains of is told without the line's text`() throws {
    #expect(try !problems(yaml: "mqtt:\n\tpassword: hunter2").joined().contains("hunter2"))
  }

  @Test func `A file that cannot be read is told with the reason`() throws {
    let folder = try SettingsFolder()
    let notText = "\(folder.path)/binary"
    try Data([0xFF, 0xFE, 0x00]).write(to: URL(filePath: notText))
    let huge = try folder.file("huge", String(repeating: "#", count: 1_048_577))

    for (path, reason) in [
      ("\(folder.path)/missing.yaml", "No such file or directory"),
      (folder.path, "Is a directory"),
      (notText, "not UTF-8 text"),
      (huge, "larger than 1MiB"),
    ] {
      let error = #expect(throws: SettingsError.self) { try Settings.load(file: path, environment: [:]) }
      #expect(error?.description == "\(path): cannot be read: \(reason)")
    }
  }
}
