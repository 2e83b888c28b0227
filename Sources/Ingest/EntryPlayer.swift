// Journal entries to the engine: the one way, for entries that just became durable and for those of a
// recovery alike.
//
// Invariant: what the engine does is a function of the entries' bytes and the settings.

import Journal
import Pipeline
import Records
import Storage

/// Plays journal entries into an engine. One thread at a time.
public final class EntryPlayer {
  /// The engine, for its counts.
  public let engine: Engine
  private let router: TopicRouter
  private let parser = RecordParser()
  private let batch = RecordBatch()

  public init(engine: Engine, router: TopicRouter) {
    self.engine = engine
    self.router = router
  }

  /// Judges the records of all entries. Rows may wait in memory until the engine's `flush`.
  public func play(_ entries: EntryBuffer) throws(StorageError) {
    batch.clear()
    for entry in entries { parse(entry) }
    try engine.process(batch)
  }

  private func parse(_ entry: EntryView) {
    switch entry.kind {
    case .message:
      let route = router.route(entry.topic)
      if entry.isCut {
        parser.refuse(
          entry.payload, .oversized, kind: route.kind, arrivalMs: entry.arrivalMs, topic: entry.topic,
          into: batch)
      } else {
        parser.parse(
          payload: entry.payload, route: route, arrivalMs: entry.arrivalMs, topic: entry.topic, into: batch)
      }
    case .customerFile:
      parser.parse(
        CustomerFileEntry.piece(of: entry), kind: .customer, arrivalMs: entry.arrivalMs, topic: entry.topic,
        into: batch)
    case .settings, .sessionGap:
      break
    }
  }
}
