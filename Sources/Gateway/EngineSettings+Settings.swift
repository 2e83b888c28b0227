// From what an operator sets to what the pipeline takes.

public import Join
public import Pipeline

extension EngineSettings {
  /// The pipeline's part of the settings.
  public init(_ settings: Settings) {
    self.init()
    consent = settings.consent.asOf
    join = JoinSettings(settings.join)
    futureSkewMs = settings.limits.futureSkewMs
    landing = settings.landing.isEnabled
    segmentAgeMs = settings.storage.segmentAgeMs
    segmentBytes = Int(settings.storage.segmentBytes)
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
