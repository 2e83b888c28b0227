// From what an operator sets to what the pipeline takes.

public import Pipeline
public import Settings

extension EngineSettings {
  /// The pipeline's part of the settings, for records that come from a broker.
  public init(_ settings: Settings) {
    self.init(
      consent: settings.consent.asOf, join: settings.join, futureSkewMs: settings.limits.futureSkewMs,
      landing: settings.landing.isEnabled, live: true, segmentAgeMs: settings.storage.segmentAgeMs,
      segmentBytes: settings.storage.segmentBytes)
  }
}
