// The types a setting's value can have: what text is allowed, in words for the operator and as a parser.

import Logging
import Records

/// Why a text is not a value of a type, to be read after the text: `is not a duration`.
struct Refusal: Error {
  let reason: String
  /// Where the text may hold a password, it is not shown.
  var hidesText = false
}

struct SettingType<Value: Sendable>: Sendable {
  /// In words, e.g. `a whole number from 1 to 65535`.
  let allowed: String
  /// How a value stands in the journal; nil for types that no journaled setting has.
  var journalForm: JournalForm<Value>?
  let parse: @Sendable (String) throws(Refusal) -> Value
}

extension SettingType<Int> {
  static func integer(in range: ClosedRange<Int64>) -> Self {
    let allowed = "a whole number from \(range.lowerBound) to \(range.upperBound)"
    return SettingType(allowed: allowed, journalForm: .integer(in: range)) { (text) throws(Refusal) in
      guard let number = wholeNumber(text) else { throw Refusal(reason: "is not a whole number") }
      try refuse(number, outside: range) { "\($0)" }
      return Int(number)
    }
  }
}

extension SettingType<Int64> {
  /// In milliseconds.
  static func duration(fromMs lowest: Int64 = 0, toMs highest: Int64 = Settings.longestDurationMs) -> Self {
    let bounds = boundsText(
      lowest, highest == Settings.longestDurationMs ? nil : highest, durationText(ms:))
    return SettingType(
      allowed: "a number with ms, s, m, h or d, e.g. 100ms" + bounds,
      journalForm: .integer(in: lowest...highest, unit: "ms")
    ) { (text) throws(Refusal) in
      guard let ms = durationMs(text) else { throw Refusal(reason: "is not a duration") }
      try refuse(ms, outside: lowest...highest, durationText(ms:))
      return ms
    }
  }

  /// In milliseconds; what MQTT carries in seconds must be whole seconds.
  static func wholeSeconds(
    fromMs lowest: Int64, toMs highest: Int64 = Settings.longestDurationMs
  ) -> Self {
    let duration = duration(fromMs: lowest, toMs: highest)
    return SettingType(allowed: duration.allowed + ", in whole seconds") { (text) throws(Refusal) in
      let ms = try duration.parse(text)
      guard ms % 1_000 == 0 else { throw Refusal(reason: "is not a whole number of seconds") }
      return ms
    }
  }
}

extension SettingType<Int> {
  /// In bytes.
  static func size(from lowest: Int64 = 0, to highest: Int64 = Settings.largestSizeBytes) -> Self {
    let bounds = boundsText(lowest, highest == Settings.largestSizeBytes ? nil : highest, sizeText(bytes:))
    return SettingType(
      allowed: "a number of bytes or one with KiB, MiB or GiB, e.g. 64MiB" + bounds,
      journalForm: .integer(in: lowest...highest, unit: "bytes")
    ) { (text) throws(Refusal) in
      guard let bytes = sizeBytes(text) else { throw Refusal(reason: "is not a size") }
      try refuse(bytes, outside: lowest...highest, sizeText(bytes:))
      return Int(bytes)
    }
  }
}

/// What a bound adds to the text of what is allowed; the bounds that all values have go without saying.
private func boundsText(_ lowest: Int64, _ highest: Int64?, _ text: (Int64) -> String) -> String {
  switch (lowest, highest) {
  case (0, nil): ""
  case (_, nil): ", at least \(text(lowest))"
  case (_, let highest?): ", from \(text(lowest)) to \(text(highest))"
  }
}

private func refuse(
  _ number: Int64, outside range: ClosedRange<Int64>, _ text: (Int64) -> String
) throws(Refusal) {
  if number < range.lowerBound { throw Refusal(reason: "is less than \(text(range.lowerBound))") }
  if number > range.upperBound { throw Refusal(reason: "is more than \(text(range.upperBound))") }
}

extension SettingType<Bool> {
  static let flag = SettingType(allowed: "true, false", journalForm: .flag) { (text) throws(Refusal) in
    switch text {
    case "true": true
    case "false": false
    default: throw Refusal(reason: "is neither true nor false")
    }
  }
}

extension SettingType where Value: CaseIterable & RawRepresentable<String> {
  static var choice: Self {
    let allowed = Value.allCases.map(\.rawValue).joined(separator: ", ")
    return SettingType(allowed: allowed, journalForm: .choice) { (text) throws(Refusal) in
      guard let value = Value(rawValue: text) else { throw Refusal(reason: "is not one of the choices") }
      return value
    }
  }
}

extension SettingType<HostAndPort> {
  static let hostAndPort = SettingType(allowed: "HOST:PORT, e.g. 127.0.0.1:9464 or [::1]:9464") {
    (text) throws(Refusal) in
    guard let value = HostAndPort(text) else { throw Refusal(reason: "is not a host with a port") }
    return value
  }
}

extension SettingType<String> {
  static let host = SettingType(allowed: "a host name or an IP address, without scheme and port") {
    (text) throws(Refusal) in
    // Somebody may have pasted a URL, mqtt://user:password@host.
    guard isHost(text) else { throw Refusal(reason: "is not a host", hidesText: text.contains("@")) }
    return text
  }

  /// A string as MQTT carries it: at most 65535 bytes (MQTT 5, section 1.5.4).
  static let mqttText = SettingType(allowed: "1 to 65535 bytes of text without control characters") {
    (text) throws(Refusal) in
    guard text.utf8.count <= 65_535 else { throw Refusal(reason: "is too long") }
    return try withoutControlCharacters(text)
  }

  static let path = SettingType(allowed: "a path", parse: withoutControlCharacters)

  /// A topic filter for records of a kind.
  static func topicFilter(_ kind: RecordKind) -> Self {
    let names = IdentityField.allowed(for: kind).map { "{\($0.rawValue)}" }.joined(separator: " or ")
    return SettingType(
      allowed: "an MQTT topic filter, + for a level, # for all that follow, one level may be \(names)",
      journalForm: .text
    ) { (text) throws(Refusal) in
      // A share (MQTT 5, section 4.8.2) would spread one session's messages over several gateways.
      guard !text.hasPrefix("$share/") else { throw Refusal(reason: "is a shared subscription") }
      do throws(TopicFilterError) {
        _ = try TopicFilter(text, kind: kind)
      } catch {
        throw Refusal(reason: reason(of: error))
      }
      return try withoutControlCharacters(text)
    }
  }

  /// To be read after the filter, and of a bearable length whatever the filter is.
  private static func reason(of error: TopicFilterError) -> String {
    switch error {
    case .empty: "is empty, longer than 65535 bytes or has a NUL"
    case .hashNotLast: "has # before its last level"
    case .placeholderTwice: "has more than one placeholder"
    case .wildcardInLevel: "has + or # in a level with other characters"
    case .unknownPlaceholder: "has an unknown placeholder"
    }
  }

  @Sendable private static func withoutControlCharacters(_ text: String) throws(Refusal) -> String {
    guard !text.unicodeScalars.contains(where: isControl) else {
      throw Refusal(reason: "has a control character")
    }
    return text
  }
}
