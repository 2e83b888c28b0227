import Join
import Pipeline
import Playback
import Settings
import Testing

@testable import Gateway

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

  @Test func `A text from the journal is read as it is, or refused with the reason`() throws {
    func read(_ bytes: [UInt8]) throws -> PlayerSettings {
      try bytes.withUnsafeBytes { try PlayerSettings(journalText: $0, over: Settings()) }
    }
    let text = Array(EveryKey.settings.journalText.utf8)
    #expect(try read(text).engine.join == EveryKey.settings.join)
    #expect(throws: UnreadableSettings("they are no sections of settings")) { try read([]) }
    // In the middle of a topic.
    let place = try #require(text.firstRange(of: Array("c/{email}".utf8))).lowerBound
    #expect(throws: UnreadableSettings("they are not UTF-8")) {
      try read(Array(text[..<place]) + [0xC3] + Array(text[place...]))
    }
  }
}
