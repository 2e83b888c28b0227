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

/// The settings that decide about results, as the player needs them.
public struct PlayerSettings {
  public var engine: EngineSettings
  public var router: TopicRouter

  public init(engine: EngineSettings, router: TopicRouter) {
    self.engine = engine
    self.router = router
  }
}

/// Why entries could not be played.
public enum PlayError: Error, CustomStringConvertible {
  case tables(SegmentLogError)
  /// A checkpoint could not be written, or the rows below it not be made durable.
  case checkpoint(StorageError)
  /// A settings entry that this version cannot read.
  case unreadableSettings(position: Int)

  public var description: String {
    switch self {
    case .tables(let error): error.description
    case .checkpoint(let error): error.description
    case .unreadableSettings(let position):
      "the journal's settings at position \(position) cannot be read by this version of stepgate"
    }
  }
}

/// Plays journal entries into an engine. One thread at a time.
public final class EntryPlayer {
  /// The engine, for its counts.
  public let engine: Engine
  private var router: TopicRouter
  private let decodeSettings: (UnsafeRawBufferPointer) -> PlayerSettings?
  private let parser = RecordParser()
  private let batch = RecordBatch()
  /// The journal's position behind what was played.
  public private(set) var position: Int
  /// The settings entry in force; empty before the first.
  public private(set) var settingsText: [UInt8]

  /// - Parameters:
  ///   - position: the entries below it are in the engine's state.
  ///   - settingsText: the settings entry that was in force there.
  ///   - decodeSettings: reads the text of a settings entry; nil where it cannot.
  public init(
    engine: Engine, router: TopicRouter, position: Int = 0, settingsText: [UInt8] = [],
    decodeSettings: @escaping (UnsafeRawBufferPointer) -> PlayerSettings? = { _ in nil }
  ) {
    self.engine = engine
    self.router = router
    self.position = position
    self.settingsText = settingsText
    self.decodeSettings = decodeSettings
  }

  /// Judges the records of all entries and writes their rows to the segments.
  public func play(_ entries: EntryBuffer) throws(PlayError) {
    for entry in entries {
      switch entry.kind {
      case .message: parseMessage(entry)
      case .customerFile: parseCustomers(entry)
      case .settings: try apply(entry)
      case .sessionGap: try recordGap(entry)
      }
    }
    try processBatch()
    do { try engine.flush() } catch { throw .tables(.storage(error)) }
    if let basePosition = entries.basePosition { position = basePosition + entries.byteCount }
  }

  /// All that is known at `position`, as a checkpoint.
  /// - Parameter redeliveries: remembers the journal's messages up to `position`.
  public func checkpoint(remembering redeliveries: RedeliveryFilter) -> PendingCheckpoint {
    var content = StateEncoder()
    settingsText.withUnsafeBytes { content.append(text: $0) }
    engine.encode(into: &content)
    redeliveries.encode(into: &content)
    return PendingCheckpoint(position: position, tables: engine.tablePositions, content: content)
  }

  private func parseMessage(_ entry: EntryView) {
    let route = router.route(entry.topic)
    if entry.isCut {
      parser.refuse(
        entry.payload, .oversized, kind: route.kind, arrivalMs: entry.arrivalMs, topic: entry.topic,
        into: batch)
    } else {
      parser.parse(
        payload: entry.payload, route: route, arrivalMs: entry.arrivalMs, topic: entry.topic, into: batch)
    }
  }

  private func parseCustomers(_ entry: EntryView) {
    parser.parse(
      CustomerFileEntry.piece(of: entry), kind: .customer, arrivalMs: entry.arrivalMs, topic: entry.topic,
      into: batch)
  }

  private func apply(_ entry: EntryView) throws(PlayError) {
    try processBatch()
    guard let settings = decodeSettings(entry.payload) else {
      throw .unreadableSettings(position: entry.position ?? 0)
    }
    router = settings.router
    settingsText = Array(entry.payload)
    do { try engine.apply(settings.engine) } catch { throw .tables(error) }
  }

  private func recordGap(_ entry: EntryView) throws(PlayError) {
    guard let gap = SessionStart.gap(of: entry) else { return }
    do { try engine.recordGap(gap) } catch { throw .tables(.storage(error)) }
  }

  private func processBatch() throws(PlayError) {
    do { try engine.process(batch) } catch { throw .tables(.storage(error)) }
    batch.clear()
  }
}
