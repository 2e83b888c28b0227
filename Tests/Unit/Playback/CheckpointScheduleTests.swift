import Testing

@testable import Playback

@Suite struct CheckpointScheduleTests {
  private let options = CheckpointOptions(intervalMs: 1000, journalBytes: 500)

  @Test func `A checkpoint is due after so many bytes, or after so long if there is something new`() {
    var schedule = CheckpointSchedule(options, position: 100, nowMs: 0)
    #expect(!schedule.isDue(position: 599, nowMs: 999))
    #expect(schedule.isDue(position: 600, nowMs: 0))
    #expect(schedule.isDue(position: 101, nowMs: 1000))
    #expect(!schedule.isDue(position: 100, nowMs: 5000))
    schedule.began(position: 600, nowMs: 1000)
    #expect(!schedule.isDue(position: 601, nowMs: 1999))
    #expect(schedule.isDue(position: 601, nowMs: 2000))
  }
}
