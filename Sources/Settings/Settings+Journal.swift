// The settings on which the output depends, as text. They go into the journal, so that a replay of its bytes uses
// those that were in force when the bytes were written.
//
// Invariants:
// - The text is an on-disk format, and a function of those settings: names and order are pinned by a test.
// - A text that was ever written stays readable: a setting that is newer than the text has the value that was in force
//   before there was the setting, which its row of `Setting.all` states.
// - A text that says more than this version understands is refused: its results could not be made again.

import FoundationEssentials

/// Whether a setting is in the journal.
enum Journaling<Value: Sendable>: Sendable {
  case no
  /// In every text there ever was.
  case always
  /// In texts since some version; before, all was as with this value.
  case added(before: Value)
}

/// A value as it stands in the journal.
enum JournalValue: Equatable, Sendable {
  case text(String)
  case integer(Int64)
  case flag(Bool)
  /// Of a type that no setting of this version has; never written.
  case other
}

/// How the values of a type stand in the journal.
struct JournalForm<Value: Sendable>: Sendable {
  /// Stands last in the name; nil where there is none.
  let unit: String?
  let written: @Sendable (Value) -> JournalValue
  /// The inverse; nil for what no value is written as.
  let read: @Sendable (JournalValue) -> Value?
}

/// One setting's place in the journal's text.
struct JournaledSetting: Sendable {
  let section: String
  let name: String
  let written: @Sendable (Settings) -> JournalValue
  /// Takes the value of a text, or what its absence means. False if it is none.
  let read: @Sendable (JournalValue?, inout Settings) -> Bool

  /// Nil if it is not in the journal.
  init?<Value: Sendable>(
    _ key: String, _ place: WritableKeyPath<Settings, Value> & Sendable, _ form: JournalForm<Value>?,
    _ journaling: Journaling<Value>
  ) {
    let before: Value?
    switch journaling {
    case .no: return nil
    case .always: before = nil
    case .added(let value): before = value
    }
    let parts = key.split(separator: ".").map(String.init)
    guard let form, parts.count == 2 else { preconditionFailure("\(key) has no form in the journal") }
    section = parts[0]
    let suffix = form.unit.map { "_\($0)" } ?? ""
    name = parts[1].hasSuffix(suffix) ? parts[1] : parts[1] + suffix
    written = { form.written($0[keyPath: place]) }
    read = { value, settings in
      guard let value = value.map(form.read) ?? before else { return false }
      settings[keyPath: place] = value
      return true
    }
  }
}

/// Why a text is not that of settings, as a clause.
public struct JournalTextError: Error, Equatable, CustomStringConvertible {
  public let description: String
}

extension Settings {
  /// The settings that results depend on: one line of JSON without a line end, keys in alphabetical order, durations in
  /// milliseconds, sizes in bytes.
  public var journalText: String {
    var sections: [String: [String: JournalValue]] = [:]
    for case let setting? in Setting.all.map(\.journaled) {
      sections[setting.section, default: [:]][setting.name] = setting.written(self)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Strings, integers and flags; there is nothing in here that JSON cannot hold.
    guard let data = try? encoder.encode(sections) else { preconditionFailure("settings do not encode") }
    return String(decoding: data, as: UTF8.self)
  }

  /// These settings with those that a text states.
  public func with(journalText text: String) throws(JournalTextError) -> Settings {
    try with(journalText: text, of: Setting.all)
  }

  func with(journalText text: String, of table: [Setting]) throws(JournalTextError) -> Settings {
    guard
      var sections = try? JSONDecoder().decode([String: [String: JournalValue]].self, from: Data(text.utf8))
    else { throw JournalTextError(description: "they are no sections of settings") }
    var settings = self
    for case let setting? in table.map(\.journaled) {
      let value = sections[setting.section]?.removeValue(forKey: setting.name)
      guard setting.read(value, &settings) else {
        let what = value == nil ? "is missing" : "has an unknown value"
        throw JournalTextError(description: "\(setting.section).\(setting.name) \(what)")
      }
    }
    // What is left: keys that are not known, and sections of which nothing is.
    let known = Set(table.compactMap(\.journaled?.section))
    for (section, values) in sections where !values.isEmpty || !known.contains(section) {
      let key = ([section] + [values.keys.min()].compactMap(\.self)).joined(separator: ".")
      throw JournalTextError(description: "\(key) is unknown, so a later version wrote them")
    }
    return settings
  }
}

// MARK: Forms

extension JournalForm where Value: FixedWidthInteger {
  /// - Parameter range: that of the values in a file, and so of all that was ever written.
  static func integer(in range: ClosedRange<Int64>, unit: String? = nil) -> Self {
    JournalForm(unit: unit, written: { .integer(Int64($0)) }) { value in
      if case .integer(let number) = value, range.contains(number) { Value(exactly: number) } else { nil }
    }
  }
}

extension JournalForm<Bool> {
  static var flag: Self {
    JournalForm(unit: nil, written: { .flag($0) }) { if case .flag(let flag) = $0 { flag } else { nil } }
  }
}

extension JournalForm<String> {
  static var text: Self {
    JournalForm(unit: nil, written: { .text($0) }) { if case .text(let text) = $0 { text } else { nil } }
  }
}

extension JournalForm where Value: RawRepresentable<String> {
  static var choice: Self {
    JournalForm(unit: nil, written: { .text($0.rawValue) }) { value in
      if case .text(let text) = value { Value(rawValue: text) } else { nil }
    }
  }
}

extension JournalValue: Codable {
  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    // A number is no flag to this decoder, and a flag no number.
    if let flag = try? value.decode(Bool.self) {
      self = .flag(flag)
    } else if let number = try? value.decode(Int64.self) {
      self = .integer(number)
    } else if let text = try? value.decode(String.self) {
      self = .text(text)
    } else {
      self = .other
    }
  }

  func encode(to encoder: any Encoder) throws {
    var value = encoder.singleValueContainer()
    switch self {
    case .text(let text): try value.encode(text)
    case .integer(let number): try value.encode(number)
    case .flag(let flag): try value.encode(flag)
    case .other: preconditionFailure("a value that no setting has")
    }
  }
}
