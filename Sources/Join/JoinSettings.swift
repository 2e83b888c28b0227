// What the operator chooses about the join.

import Records

/// Which readings belong together.
public enum Pairing: String, CaseIterable, Sendable {
  /// Those of the same customer, whose consent covers both.
  case owner
  /// Those of nearly the same time, whoever they belong to (as the published batch pipelines pair).
  case timestamp
}

/// The join's settings. Durations in milliseconds.
public struct JoinSettings: Equatable, Sendable {
  public var pairing = Pairing.owner
  public var toleranceMs: Int64 = 100
  public var allowedLatenessMs: Int64 = 600_000
  public var retentionMs: Int64 = 900_000
  public var idleMs: Int64 = 900_000
  public var maxMemoryBytes = 512 << 20
  /// False in a replay, which keeps everything to its end.
  public var evicts = true

  public init() {}
}
