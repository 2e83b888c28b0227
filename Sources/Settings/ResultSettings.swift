// The settings on which the output depends. They go into the journal, so that a replay of its bytes uses
// those that were in force when the bytes were written.
//
// Invariant: the JSON text is an on-disk format. Equal settings have equal texts, a text that was ever
// written stays readable, and names and order are pinned by a test.

import FoundationEssentials

/// The part of the settings that decides which rows there are.
public struct ResultSettings: Equatable, Sendable, Codable {
  public var topics: Settings.Topics
  public var consent: Settings.Consent
  public var join: Settings.Join
  public var limits: Settings.Limits
  public var landing: Settings.Landing

  /// One line of JSON without a line end: keys in alphabetical order, durations in milliseconds, sizes
  /// in bytes.
  public var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Strings, integers and flags; there is nothing in here that JSON cannot hold.
    guard let data = try? encoder.encode(self) else { preconditionFailure("settings do not encode") }
    return String(decoding: data, as: UTF8.self)
  }

  /// The inverse of `json`.
  ///
  /// - Throws: `DecodingError` where the text is anything but a former `json`.
  public init(json: String) throws {
    self = try JSONDecoder().decode(ResultSettings.self, from: Data(json.utf8))
  }

  init(_ settings: Settings) {
    topics = settings.topics
    consent = settings.consent
    join = settings.join
    limits = settings.limits
    landing = settings.landing
  }

  enum CodingKeys: String, CodingKey {
    case topics, consent, join, limits, landing
  }
}

extension Settings {
  /// The part of the settings that decides which rows there are.
  public var resultSettings: ResultSettings { ResultSettings(self) }

  /// `resultSettings` as one line of JSON, for the journal.
  public var resultSettingsJSON: String { resultSettings.json }
}
