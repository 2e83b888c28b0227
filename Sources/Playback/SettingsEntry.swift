// Settings in the journal: the entry, and what a player needs of it.
//
// Invariant: a text that cannot be read stops whoever plays it, and nothing is thrown away for it: an older or newer
// program may be the right one.

import Journal
import Pipeline
import Records

/// The settings that decide about results, as the player needs them.
public struct PlayerSettings: Sendable {
  public var engine: EngineSettings
  public var router: TopicRouter

  public init(engine: EngineSettings, router: TopicRouter) {
    self.engine = engine
    self.router = router
  }
}

/// Why the text of settings cannot be read, as a clause.
public struct UnreadableSettings: Error, Equatable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}

/// Reads the text of a settings entry.
public typealias SettingsReader = (UnsafeRawBufferPointer) throws(UnreadableSettings) -> PlayerSettings

public enum SettingsEntry {
  /// From this entry on the settings of the text hold.
  public static func append(_ text: [UInt8], arrivalMs: Int64, to entries: EntryBuffer) {
    text.withUnsafeBytes { text in
      entries.append(
        kind: .settings, arrivalMs: arrivalMs, topic: UnsafeRawBufferPointer(start: nil, count: 0),
        payload: text)
    }
  }
}
