// Settings for tests that have no wish of their own.

import Join
import Pipeline
import Playback

extension EngineSettings {
  /// A pipeline over no broker.
  public init() {
    self.init(
      consent: .enforce, join: JoinSettings(), futureSkewMs: 300_000, landing: false, live: false,
      segmentAgeMs: 86_400_000, segmentBytes: 64 << 20)
  }
}

extension CheckpointOptions {
  /// None is due while a test runs.
  public static let seldom = CheckpointOptions(intervalMs: 300_000, journalBytes: 256 << 20)
}

/// For journals without settings.
public let noSettings: @Sendable (UnsafeRawBufferPointer) throws(UnreadableSettings) -> PlayerSettings = {
  (_) throws(UnreadableSettings) in throw UnreadableSettings("there are none")
}
