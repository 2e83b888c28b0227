// Journal entries to the engine: the one way, for entries that just became durable and for those of a
// recovery alike.
//
// Invariants:
// - What the engine does is a function of the entries' bytes.
// - Settings apply to the entries behind them, also when they were read long ago.

import Journal
import Pipeline
import Records
import SegmentLog
import Storage

/// Why entries could not be played.
public enum PlayError: Error, CustomStringConvertible {
  case tables(SegmentLogError)
  /// A checkpoint could not be written, or the rows below it not be made durable.
  case checkpoint(StorageError)
  /// A settings entry that this version cannot read.
  case unreadableSettings(position: Int, UnreadableSettings)

  public var description: String {
    switch self {
    case .tables(let error): error.description
    case .checkpoint(let error): error.description
    case .unreadableSettings(let position, let what):
      "the journal's settings at position \(position) cannot be read by this version of stepgate: \(what)"
    }
  }
}

/// Plays journal entries into an engine. One thread at a time.
public final class EntryPlayer {
  /// The engine, for its counts.
  public let engine: Engine
  let parser: EntryParser
  private let parsed = ParsedEntries()
  /// The journal's position behind what was played.
  public private(set) var position: Int
  /// The settings entry in force; empty before the first.
  public private(set) var settingsText: [UInt8]

  /// - Parameters:
  ///   - position: the entries below it are in the engine's state.
  ///   - settingsText: the settings entry that was in force there.
  public init(
    engine: Engine, router: TopicRouter, position: Int = 0, settingsText: [UInt8] = [],
    readSettings: @escaping SettingsReader
  ) {
    self.engine = engine
    self.position = position
    self.settingsText = settingsText
    parser = EntryParser(router: router, readSettings: readSettings)
  }

  /// Judges the records of all entries and writes their rows to the segments.
  public func play(_ entries: EntryBuffer) throws(PlayError) {
    try parser.parse(entries, into: parsed)
    try judge(parsed)
  }

  /// The same for entries that were parsed elsewhere, by `parser`, in their order.
  func judge(_ parsed: ParsedEntries) throws(PlayError) {
    var runsDone = 0
    for (runsBefore, change) in parsed.changes {
      try process(parsed.records, runsDone..<runsBefore)
      runsDone = runsBefore
      try apply(change)
    }
    try process(parsed.records, runsDone..<parsed.records.runs.count)
    do { try engine.tables.flush() } catch { throw .tables(.storage(error)) }
    position = parsed.endPosition ?? position
  }

  private func process(_ records: RecordBatch, _ runs: Range<Int>) throws(PlayError) {
    do { try engine.process(records, runs: runs) } catch { throw .tables(.storage(error)) }
  }

  private func apply(_ change: ParsedEntries.Change) throws(PlayError) {
    do throws(SegmentLogError) {
      switch change {
      case .settings(let settings, let text):
        settingsText = text
        try engine.apply(settings.engine)
      case .gap(let gap): try recordGap(gap)
      }
    } catch { throw .tables(error) }
  }

  private func recordGap(_ gap: SessionGap) throws(SegmentLogError) {
    do { try engine.recordGap(gap) } catch { throw .storage(error) }
  }
}
