// Journal entries to records: the half of playing that needs no engine, so that a recovery can do it on a thread
// of its own.
//
// Invariant: topics are matched with the settings that stand in the journal before them.

import Journal
import Pipeline
import Records

/// Entries taken apart: their records, and what else the journal says, each in its place between the records.
/// Points into the entries.
final class ParsedEntries {
  enum Change {
    case settings(PlayerSettings, text: [UInt8])
    case gap(SessionGap)
  }

  let records = RecordBatch()
  /// The changes, and how many of the records' runs stand before each.
  fileprivate(set) var changes: [(runsBefore: Int, change: Change)] = []
  /// The journal's position behind the entries; nil if they are in no journal.
  fileprivate(set) var endPosition: Int?

  func clear() {
    records.clear()
    changes.removeAll(keepingCapacity: true)
    endPosition = nil
  }
}

/// Takes entries apart. One thread at a time.
final class EntryParser {
  private var router: TopicRouter
  private let readSettings: SettingsReader
  private let parser = RecordParser()

  init(router: TopicRouter, readSettings: @escaping SettingsReader) {
    self.router = router
    self.readSettings = readSettings
  }

  /// Replaces what `parsed` holds.
  func parse(_ entries: EntryBuffer, into parsed: ParsedEntries) throws(PlayError) {
    parsed.clear()
    for entry in entries {
      switch entry.kind {
      case .message: parseMessage(entry, into: parsed.records)
      case .customerFile: parseCustomers(entry, into: parsed.records)
      case .settings: try change(entry, parsed)
      case .sessionGap:
        guard let gap = SessionStart.gap(of: entry) else { continue }
        parsed.changes.append((parsed.records.runs.count, .gap(gap)))
      }
    }
    if let basePosition = entries.basePosition { parsed.endPosition = basePosition + entries.byteCount }
  }

  private func parseMessage(_ entry: EntryView, into batch: RecordBatch) {
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

  private func parseCustomers(_ entry: EntryView, into batch: RecordBatch) {
    parser.parse(
      CustomerFileEntry.piece(of: entry), kind: .customer, arrivalMs: entry.arrivalMs, topic: entry.topic,
      into: batch)
  }

  private func change(_ entry: EntryView, _ parsed: ParsedEntries) throws(PlayError) {
    let settings: PlayerSettings
    do throws(UnreadableSettings) { settings = try readSettings(entry.payload) } catch {
      throw .unreadableSettings(position: entry.position ?? 0, error)
    }
    router = settings.router
    parsed.changes.append((parsed.records.runs.count, .settings(settings, text: Array(entry.payload))))
  }
}
