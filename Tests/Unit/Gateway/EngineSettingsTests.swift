import Gateway
import Join
import Pipeline
import Settings
import Testing

@Suite struct EngineSettingsTests {
  @Test func `Every setting of the results reaches the pipeline`() {
    let settings = EngineSettings(EveryKey.settings)

    #expect(settings.consent == .presence)
    #expect(settings.join.pairing == .timestamp)
    #expect(settings.join.toleranceMs == 250)
    #expect(settings.join.allowedLatenessMs == 60_000)
    #expect(settings.join.retentionMs == 120_000)
    #expect(settings.join.idleMs == 180_000)
    #expect(settings.join.maxMemoryBytes == 1_073_741_824)
    #expect(settings.join.evicts)
    #expect(settings.futureSkewMs == 1_000)
    #expect(settings.landing)
    #expect(settings.live)
    #expect(settings.segmentAgeMs == 3_600_000)
    #expect(settings.segmentBytes == 4_096)
  }
}
