// From what an operator sets to what the pipeline takes.

import Settings
public import Join
public import Pipeline

extension EngineSettings {
  /// The pipeline's part of the settings, for records that come from a broker.
  public init(_ settings: Settings) {
    self.init(settings.resultSettings, storage: settings.storage)
  }

  /// The same from settings that were journaled, which leave out how tables are cut into segments.
  init(_ results: ResultSettings, storage: Settings.Storage) {
    self.init()
    consent = results.consent.asOf
    join = JoinSettings(results.join)
    futureSkewMs = results.limits.futureSkewMs
    landing = results.landing.isEnabled
    live = true
    segmentAgeMs = storage.segmentAgeMs
    segmentBytes = Int(storage.segmentBytes)
  }
}

extension JoinSettings {
  /// The join of a running gateway, which evicts.
  public init(_ settings: Settings.Join) {
    self.init()
    pairing = settings.pairing
    toleranceMs = settings.toleranceMs
    allowedLatenessMs = settings.allowedLatenessMs
    retentionMs = settings.retentionMs
    idleMs = settings.idleMs
    maxMemoryBytes = Int(settings.maxMemoryBytes)
  }
}
