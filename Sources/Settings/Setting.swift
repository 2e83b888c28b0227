// The table of all settings: key, place in `Settings`, type. The one list that the loader, the check for
// unknown keys and the tests of config/stepgate.yaml go by.
//
// Invariant: the keys and their defaults are those of the documentation ("Settings"), and a key never
// changes its meaning: it is in people's files.

/// One setting.
struct Setting: Sendable {
  /// Dots nest: `mqtt.tls.ca_file`.
  let key: String
  let allowed: String
  /// Whether it may be left empty, which is then its default.
  let mayBeEmpty: Bool
  let assign: @Sendable (String, inout Settings) throws(Refusal) -> Void
  /// Whether two settings have another value for it.
  let differs: @Sendable (Settings, Settings) -> Bool
  /// Gives the second the value of the first.
  let copy: @Sendable (Settings, inout Settings) -> Void

  init<Value: Equatable>(
    _ key: String, _ place: WritableKeyPath<Settings, Value> & Sendable, _ type: SettingType<Value>,
    mayBeEmpty: Bool = false
  ) {
    self.key = key
    self.allowed = type.allowed
    self.mayBeEmpty = mayBeEmpty
    self.assign = { (text, settings) throws(Refusal) in settings[keyPath: place] = try type.parse(text) }
    self.differs = { $0[keyPath: place] != $1[keyPath: place] }
    self.copy = { $1[keyPath: place] = $0[keyPath: place] }
  }

  /// A setting that is absent by default.
  init<Value: Equatable>(
    optional key: String, _ place: WritableKeyPath<Settings, Value?> & Sendable, _ type: SettingType<Value>
  ) {
    self.key = key
    self.allowed = type.allowed
    self.mayBeEmpty = true
    self.assign = { (text, settings) throws(Refusal) in settings[keyPath: place] = try type.parse(text) }
    self.differs = { $0[keyPath: place] != $1[keyPath: place] }
    self.copy = { $1[keyPath: place] = $0[keyPath: place] }
  }

  /// The environment variable that overrides it: `mqtt.host` is `STEPGATE_MQTT_HOST`.
  var environmentVariable: String {
    Self.environmentPrefix + key.uppercased().replacing(".", with: "_")
  }

  static let environmentPrefix = "STEPGATE_"

  /// Whether a changed value holds without a restart: those of the session with the broker, of the topics subscribed
  /// to, of where things are kept and of what listens do not.
  var appliesWhileRunning: Bool {
    let sections = ["customers.", "consent.", "join.", "limits.", "landing.", "checkpoint.", "log."]
    return key == "storage.min_free_bytes" || sections.contains { key.hasPrefix($0) }
  }

  static let all: [Setting] = [
    Setting("mqtt.host", \.mqtt.host, .host),
    Setting("mqtt.port", \.mqtt.port, .integer(in: 1...65_535)),
    Setting("mqtt.client_id", \.mqtt.clientID, .mqttText),
    Setting(optional: "mqtt.username", \.mqtt.username, .mqttText),
    Setting(optional: "mqtt.password_file", \.mqtt.passwordFile, .path),
    Setting(optional: "mqtt.tls.ca_file", \.mqtt.tls.caFile, .path),
    Setting(optional: "mqtt.tls.certificate_file", \.mqtt.tls.certificateFile, .path),
    Setting(optional: "mqtt.tls.key_file", \.mqtt.tls.keyFile, .path),
    Setting("mqtt.keepalive", \.mqtt.keepaliveMs, .wholeSeconds(fromMs: 5_000, toMs: 65_535_000)),
    Setting(
      "mqtt.session_expiry", \.mqtt.sessionExpiryMs,
      .wholeSeconds(fromMs: 1_000)),
    Setting("mqtt.receive_maximum", \.mqtt.receiveMaximum, .integer(in: 1...65_535)),

    Setting("topics.customer", \.topics.customer, .topicFilter(.customer)),
    Setting("topics.accelerometer", \.topics.accelerometer, .topicFilter(.accelerometer)),
    Setting("topics.step_trainer", \.topics.stepTrainer, .topicFilter(.stepTrainer)),

    Setting(optional: "customers.path", \.customers.path, .path),

    Setting("consent.as_of", \.consent.asOf, .choice),

    Setting("join.pairing", \.join.pairing, .choice),
    Setting("join.tolerance", \.join.toleranceMs, .duration()),
    Setting("join.allowed_lateness", \.join.allowedLatenessMs, .duration()),
    Setting("join.retention", \.join.retentionMs, .duration()),
    Setting("join.idle", \.join.idleMs, .duration(fromMs: 1_000)),
    Setting("join.max_memory", \.join.maxMemoryBytes, .size(from: 1 << 20)),

    // The upper bound is what an MQTT packet can hold (MQTT 5, section 2.1.4).
    Setting("limits.max_message_bytes", \.limits.maxMessageBytes, .size(from: 1 << 10, to: 256 << 20)),
    Setting("limits.future_skew", \.limits.futureSkewMs, .duration()),

    Setting("landing.enabled", \.landing.isEnabled, .flag),

    Setting("storage.directory", \.storage.directory, .path, mayBeEmpty: true),
    Setting("storage.segment_bytes", \.storage.segmentBytes, .size(from: 4 << 10)),
    Setting("storage.segment_age", \.storage.segmentAgeMs, .duration(fromMs: 1_000)),
    Setting("storage.min_free_bytes", \.storage.minFreeBytes, .size()),

    Setting("checkpoint.interval", \.checkpoint.intervalMs, .duration(fromMs: 1_000)),
    Setting("checkpoint.journal_bytes", \.checkpoint.journalBytes, .size(from: 1 << 20)),

    Setting("http.enabled", \.http.isEnabled, .flag),
    Setting("http.listen", \.http.listen, .hostAndPort),

    Setting("log.level", \.log.level, .choice),
  ]

  static let byKey = Dictionary(uniqueKeysWithValues: all.map { ($0.key, $0) })

  /// The keys that only hold others, each once, in the table's order: `mqtt`, `mqtt.tls`, …
  static let sections: [String] = all.reduce(into: []) { sections, setting in
    let parts = setting.key.split(separator: ".").dropLast()
    for depth in 1...parts.count {
      let section = parts.prefix(depth).joined(separator: ".")
      if !sections.contains(section) { sections.append(section) }
    }
  }
}
