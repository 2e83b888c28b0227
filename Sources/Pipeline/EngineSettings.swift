// What the operator chooses about the results.

import Join
import Records

/// The pipeline's part of the settings.
public struct EngineSettings: Equatable, Sendable {
  public var consent: ConsentMode
  public var join: JoinSettings
  /// How far a reading may be ahead of its arrival; nil accepts any.
  public var futureSkewMs: Int64?
  public var landing: Bool
  /// Whether records come from a broker: then there is a table of the gaps in what came.
  public var live: Bool
  /// The time that a segment covers at most; rolls fall on its multiples in UTC. Nil never rolls by age.
  public var segmentAgeMs: Int64?
  public var segmentBytes: Int

  public init(
    consent: ConsentMode, join: JoinSettings, futureSkewMs: Int64?, landing: Bool, live: Bool,
    segmentAgeMs: Int64?, segmentBytes: Int
  ) {
    self.consent = consent
    self.join = join
    self.futureSkewMs = futureSkewMs
    self.landing = landing
    self.live = live
    self.segmentAgeMs = segmentAgeMs
    self.segmentBytes = segmentBytes
  }

  /// The tables that are written.
  public var tables: [Table] {
    Table.allCases.filter { table in
      switch table.presence {
      case .always: true
      case .landing: landing
      case .live: live
      }
    }
  }
}
