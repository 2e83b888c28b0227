// From what the hot threads publish to the status.

import Ingest
import Pipeline
import Playback
import Records

extension GatewayStatus {
  /// - Parameter nowMs: by the clock of `IngestStatus.toldAtMs`.
  mutating func add(_ ingest: IngestStatus, nowMs: Int) {
    connection.isSubscribed = ingest.connection.isSubscribed
    connection.sinceAtMs = ingest.connection.sinceMs
    connection.sessionPresent = ingest.connection.sessionPresent
    connection.connects = ingest.connection.connects
    connection.lastError = ingest.connection.lastError
    connection.refusedFilters = ingest.connection.refused
    connection.messages = ingest.counts.messages
    connection.redelivered = ingest.counts.redelivered
    connection.sessionsLost = ingest.counts.sessionsLost
    // Before its first word it has not been silent.
    connection.silentForMs = ingest.toldAtMs == 0 ? 0 : max(0, nowMs - ingest.toldAtMs)
    journal.positionBytes = ingest.journalPosition
  }

  mutating func add(_ reloads: ReloadStatus) {
    customerFilesAreGood = reloads.areCustomerFilesGood
    guard let doneAtMs = reloads.lastReloadMs, let isGood = reloads.lastReloadSucceeded else { return }
    reload = Reload(isGood: isGood, doneAtMs: doneAtMs, restartKeys: reloads.restartKeys)
  }

  /// - Parameter startCheckpointPosition: of the checkpoint that the process started from.
  mutating func add(_ engine: PipelineStatus, startCheckpointPosition: Int) {
    var pipeline = Pipeline()
    for kind in RecordKind.allCases { pipeline.records[kind.name] = Records(of: kind, engine.counts) }
    pipeline.held = engine.counts.held
    pipeline.tables = Dictionary(uniqueKeysWithValues: engine.rows.map { ($0.name, $1) })
    pipeline.customers = engine.customers
    pipeline.watermarkAtMs = engine.watermark?.ms
    pipeline.watermarkLagMs = engine.watermark.map { watermark in
      // Any 64-bit integer is an event time.
      let (lagMs, overflow) = nowAtMs.subtractingReportingOverflow(watermark.ms)
      return overflow ? .max : lagMs
    }
    pipeline.join = Join(of: engine)
    self.pipeline = pipeline
    journal.playedPositionBytes = engine.position
    // The ingest thread may not have told since.
    journal.positionBytes = max(journal.positionBytes, engine.position)
    checkpoint.positionBytes = engine.checkpointPosition ?? startCheckpointPosition
    checkpoint.writtenAtMs = engine.checkpointMs
  }
}

extension GatewayStatus.Records {
  fileprivate init(of kind: RecordKind, _ counts: VerdictCounts) {
    self.init()
    received = counts.received(kind)
    verdicts = Dictionary(
      uniqueKeysWithValues: Verdict.possible(for: kind).map { ($0.name, counts[kind, $0]) })
  }
}

extension GatewayStatus.Join {
  fileprivate init(of engine: PipelineStatus) {
    self.init()
    readings = engine.readingsInState
    memoryBytes = engine.joinMemoryBytes
    maxMemoryBytes = engine.joinMaxMemoryBytes
    evictedByAge = engine.joinCounts.evictedByAge
    evictedIdle = engine.joinCounts.evictedIdle
    evictedForMemory = engine.joinCounts.evictedForMemory
    late = engine.joinCounts.late
  }
}
