// What the engine's thread tells of itself, for other threads to read.

import Join
import Pipeline
import Records

/// What the pipeline has done so far.
public struct PipelineStatus: Sendable {
  public var counts = VerdictCounts()
  public var rows: [Table: Int] = [:]
  public var joinCounts = JoinCounts()
  /// See `Engine.shownFrom`.
  public var shownFrom = 0
  public var readingsInState = 0
  /// What the join's state is charged with, and its bound; bytes.
  public var joinMemoryBytes = 0
  public var joinMaxMemoryBytes = 0
  /// How far event time has come; nil before there were readings of both kinds.
  public var watermark: EventTime?
  public var customers = 0
  /// The journal's position behind what was played.
  public var position = 0
  /// The position of the newest checkpoint that this process wrote.
  public var checkpointPosition: Int?
  /// When it was written; milliseconds since 1970-01-01 UTC.
  public var checkpointMs: Int64?

  public init() {}

  public init(_ player: EntryPlayer) {
    let engine = player.engine
    position = player.position
    counts = engine.counts
    rows = engine.tables.rowCounts
    joinCounts = engine.joinCounts
    shownFrom = engine.shownFrom
    readingsInState = engine.readingsInState
    joinMemoryBytes = engine.joinMemoryBytes
    joinMaxMemoryBytes = engine.settings.join.maxMemoryBytes
    watermark = engine.recentWatermark
    customers = engine.customerCount
  }
}
