// The table of all settings: key, place in `Settings`, type, when a change holds, whether results depend on it, what
// file it names. The one list that the loader, the journal's text, reloads, the checks of files and the tests of
// config/stepgate.yaml go by. (A default is the initial value of the place.)
//
// Invariant: a key never changes its meaning, and no value that it may have is ever forbidden: it is in people's files,
// and those that are journaled are in journals.

/// One setting.
struct Setting: Sendable {
  /// Dots nest: `mqtt.tls.ca_file`.
  let key: String
  let allowed: String
  /// Whether it may be left empty, which is then its default.
  let mayBeEmpty: Bool
  /// When a changed value holds. That of a session with the broker, of a subscription, of where things are kept and of
  /// what listens takes a restart.
  let applies: Moment
  /// How it stands in the journal; nil if no result depends on it.
  let journaled: JournaledSetting?
  /// The file that it names.
  let file: NamedFile?
  let assign: @Sendable (String, inout Settings) throws(Refusal) -> Void
  /// Whether two settings have another value for it.
  let differs: @Sendable (Settings, Settings) -> Bool
  /// Gives the second the value of the first.
  let copy: @Sendable (Settings, inout Settings) -> Void

  enum Moment: Sendable {
    case atOnce, afterRestart
  }

  init<Value: Equatable & Sendable>(
    _ key: String, _ place: WritableKeyPath<Settings, Value> & Sendable, _ type: SettingType<Value>,
    _ applies: Moment, journaled: Journaling<Value> = .no, mayBeEmpty: Bool = false
  ) {
    self.init(
      key, place, allowed: type.allowed, applies, JournaledSetting(key, place, type.journalForm, journaled),
      file: nil, mayBeEmpty: mayBeEmpty, parse: type.parse)
  }

  /// A setting that is absent by default.
  init<Value: Equatable & Sendable>(
    optional key: String, _ place: WritableKeyPath<Settings, Value?> & Sendable, _ type: SettingType<Value>,
    _ applies: Moment
  ) {
    self.init(key, place, allowed: type.allowed, applies, nil, file: nil, mayBeEmpty: true) {
      (text) throws(Refusal) in try type.parse(text)
    }
  }

  /// The path of a file, absent by default.
  init(
    file key: String, _ place: WritableKeyPath<Settings, String?> & Sendable, _ use: NamedFile.Use,
    _ applies: Moment
  ) {
    let type = SettingType.path
    let file = NamedFile(place: place, use: use)
    self.init(key, place, allowed: type.allowed, applies, nil, file: file, mayBeEmpty: true) {
      (text) throws(Refusal) in try type.parse(text)
    }
  }

  private init<Value: Equatable & Sendable>(
    _ key: String, _ place: WritableKeyPath<Settings, Value> & Sendable, allowed: String, _ applies: Moment,
    _ journaled: JournaledSetting?, file: NamedFile?, mayBeEmpty: Bool,
    parse: @escaping @Sendable (String) throws(Refusal) -> Value
  ) {
    self.key = key
    self.allowed = allowed
    self.mayBeEmpty = mayBeEmpty
    self.applies = applies
    self.journaled = journaled
    self.file = file
    assign = { (text, settings) throws(Refusal) in settings[keyPath: place] = try parse(text) }
    differs = { $0[keyPath: place] != $1[keyPath: place] }
    copy = { $1[keyPath: place] = $0[keyPath: place] }
  }

  /// The environment variable that overrides it: `mqtt.host` is `STEPGATE_MQTT_HOST`.
  var environmentVariable: String {
    Self.environmentPrefix + key.uppercased().replacing(".", with: "_")
  }

  static let environmentPrefix = "STEPGATE_"

  static let all: [Setting] = [
    Setting("mqtt.host", \.mqtt.host, .host, .afterRestart),
    Setting("mqtt.port", \.mqtt.port, .integer(in: 1...65_535), .afterRestart),
    Setting("mqtt.client_id", \.mqtt.clientID, .mqttText, .afterRestart),
    Setting(optional: "mqtt.username", \.mqtt.username, .mqttText, .afterRestart),
    Setting(file: "mqtt.password_file", \.mqtt.passwordFile, .password, .afterRestart),
    Setting(file: "mqtt.tls.ca_file", \.mqtt.tls.caFile, .pem, .afterRestart),
    Setting(file: "mqtt.tls.certificate_file", \.mqtt.tls.certificateFile, .pem, .afterRestart),
    Setting(file: "mqtt.tls.key_file", \.mqtt.tls.keyFile, .secretPEM, .afterRestart),
    Setting(
      "mqtt.keepalive", \.mqtt.keepaliveMs, .wholeSeconds(fromMs: 5_000, toMs: 65_535_000), .afterRestart),
    Setting("mqtt.session_expiry", \.mqtt.sessionExpiryMs, .wholeSeconds(fromMs: 1_000), .afterRestart),
    Setting("mqtt.receive_maximum", \.mqtt.receiveMaximum, .integer(in: 1...65_535), .afterRestart),

    Setting(
      "topics.customer", \.topics.customer, .topicFilter(.customer), .afterRestart, journaled: .always),
    Setting(
      "topics.accelerometer", \.topics.accelerometer, .topicFilter(.accelerometer), .afterRestart,
      journaled: .always),
    Setting(
      "topics.step_trainer", \.topics.stepTrainer, .topicFilter(.stepTrainer), .afterRestart,
      journaled: .always),

    Setting(file: "customers.path", \.customers.path, .records, .atOnce),

    Setting("consent.as_of", \.consent.asOf, .choice, .atOnce, journaled: .always),

    Setting("join.pairing", \.join.pairing, .choice, .atOnce, journaled: .always),
    Setting("join.tolerance", \.join.toleranceMs, .duration(), .atOnce, journaled: .always),
    Setting("join.allowed_lateness", \.join.allowedLatenessMs, .duration(), .atOnce, journaled: .always),
    Setting("join.retention", \.join.retentionMs, .duration(), .atOnce, journaled: .always),
    Setting("join.idle", \.join.idleMs, .duration(fromMs: 1_000), .atOnce, journaled: .always),
    Setting("join.max_memory", \.join.maxMemoryBytes, .size(from: 1 << 20), .atOnce, journaled: .always),

    // The upper bound is what an MQTT packet can hold (MQTT 5, section 2.1.4).
    Setting(
      "limits.max_message_bytes", \.limits.maxMessageBytes, .size(from: 1 << 10, to: 256 << 20), .atOnce,
      journaled: .always),
    Setting("limits.future_skew", \.limits.futureSkewMs, .duration(), .atOnce, journaled: .always),

    Setting("landing.enabled", \.landing.isEnabled, .flag, .atOnce, journaled: .always),

    Setting("storage.directory", \.storage.directory, .path, .afterRestart, mayBeEmpty: true),
    Setting("storage.segment_bytes", \.storage.segmentBytes, .size(from: 4 << 10), .afterRestart),
    Setting("storage.segment_age", \.storage.segmentAgeMs, .duration(fromMs: 1_000), .afterRestart),
    Setting("storage.min_free_bytes", \.storage.minFreeBytes, .size(), .atOnce),

    Setting("checkpoint.interval", \.checkpoint.intervalMs, .duration(fromMs: 1_000), .atOnce),
    Setting("checkpoint.journal_bytes", \.checkpoint.journalBytes, .size(from: 1 << 20), .atOnce),

    Setting("http.enabled", \.http.isEnabled, .flag, .afterRestart),
    Setting("http.listen", \.http.listen, .hostAndPort, .afterRestart),

    Setting("log.level", \.log.level, .choice, .atOnce),
  ]

  static let byKey = Dictionary(uniqueKeysWithValues: all.map { ($0.key, $0) })

  /// Those that name a file.
  static let files = all.compactMap { setting in setting.file.map { (key: setting.key, file: $0) } }

  /// The keys that only hold others, each once, in the table's order: `mqtt`, `mqtt.tls`, …
  static let sections: [String] = all.reduce(into: []) { sections, setting in
    let parts = setting.key.split(separator: ".").dropLast()
    for depth in 1...parts.count {
      let section = parts.prefix(depth).joined(separator: ".")
      if !sections.contains(section) { sections.append(section) }
    }
  }
}

/// A setting's file, and what it must be.
struct NamedFile: Sendable {
  enum Use: Sendable {
    /// A secret, its first line.
    case password
    case pem
    case secretPEM
    /// Customer records: a file or a folder.
    case records
  }

  let place: WritableKeyPath<Settings, String?> & Sendable
  let use: Use

  /// Whether only its owner and group may read it.
  var isSecret: Bool { use == .password || use == .secretPEM }
  var isPEM: Bool { use == .pem || use == .secretPEM }
  /// Whether systemd can pass it on.
  var isCredential: Bool { use != .records }
}
