// What the engine's thread did: the records, the join, and how far it is in the journal. Where the values come from
// stands below what they are.

import Pipeline
import Playback
import Records

extension GatewayStatus {
  /// - Parameter startCheckpointPosition: of the checkpoint that the process started from.
  mutating func add(_ engine: PipelineStatus, startCheckpointPosition: Int) {
    pipeline = Pipeline(of: engine, nowAtMs: nowAtMs)
    journal.playedPositionBytes = engine.position
    // The ingest thread may not have told since.
    journal.positionBytes = max(journal.positionBytes, engine.position)
    checkpoint.positionBytes = engine.checkpointPosition ?? startCheckpointPosition
    checkpoint.writtenAtMs = engine.checkpointMs
  }

  /// What became of the records, by all that is in the journal.
  public struct Pipeline: Codable, Equatable, Sendable {
    /// By kind.
    public var records: [String: Records] = [:]
    /// Step trainer readings that wait for their claimant's first accelerometer reading.
    public var held = 0
    /// Rows by table.
    public var tables: [String: Int] = [:]
    public var customers = 0
    /// How far event time has come; nil before there were readings of both kinds.
    public var watermarkAtMs: Int64?
    /// How far that is behind the clock.
    public var watermarkLagMs: Int64?
    public var join = Join()
  }

  /// received = the sum of all verdicts (+ held).
  public struct Records: Codable, Equatable, Sendable {
    public var received = 0
    /// Every verdict that the kind can get.
    public var verdicts: [String: Int] = [:]
  }

  public struct Join: Codable, Equatable, Sendable {
    public var readings = 0
    public var memoryBytes = 0
    public var maxMemoryBytes = 0
    public var evictedByAge = 0
    public var evictedIdle = 0
    public var evictedForMemory = 0
    /// Readings that came later than the allowed lateness.
    public var late = 0
  }
}

extension GatewayStatus.Pipeline {
  fileprivate init(of engine: PipelineStatus, nowAtMs: Int64) {
    for kind in RecordKind.allCases {
      let verdicts = Verdict.possible(for: kind).map { ($0.name, engine.counts[kind, $0]) }
      records[kind.name] = .init(
        received: engine.counts.received(kind), verdicts: Dictionary(uniqueKeysWithValues: verdicts))
    }
    held = engine.counts.held
    tables = Dictionary(uniqueKeysWithValues: engine.rows.map { ($0.name, $1) })
    customers = engine.customers
    watermarkAtMs = engine.watermark?.ms
    watermarkLagMs = engine.watermark.map { watermark in
      // Any 64-bit integer is an event time.
      let (lagMs, overflow) = nowAtMs.subtractingReportingOverflow(watermark.ms)
      return overflow ? .max : lagMs
    }
    join.readings = engine.readingsInState
    join.memoryBytes = engine.joinMemoryBytes
    join.maxMemoryBytes = engine.joinMaxMemoryBytes
    join.evictedByAge = engine.joinCounts.evictedByAge
    join.evictedIdle = engine.joinCounts.evictedIdle
    join.evictedForMemory = engine.joinCounts.evictedForMemory
    join.late = engine.joinCounts.late
  }
}
