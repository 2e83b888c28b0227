import Testing
import Threads

@testable import Service

@Suite struct ProgressWatchTests {
  private func look(_ ingest: (Int, Bool), _ engine: (Int, Bool)) -> [WorkerLook] {
    [("ingest", ingest), ("engine", engine)].map { name, reading in
      WorkerLook(name: name, reading: Pulse.Reading(steps: reading.0, isBusy: reading.1))
    }
  }

  @Test func `Workers that wait are well, for as long as they like`() {
    var watch = ProgressWatch(nowMs: 0)
    for second in 1...100 {
      #expect(watch.stuck(look((5, false), (5, false)), isWaitingForRoom: false, nowMs: second).isEmpty)
    }
    #expect(watch.stuckForMs(nowMs: 100) == 0)
  }

  @Test func `Workers that are always busy are well as long as they get on`() {
    var watch = ProgressWatch(nowMs: 0)
    for second in 1...100 {
      let looks = look((second, true), (second * 3, true))
      #expect(watch.stuck(looks, isWaitingForRoom: false, nowMs: second).isEmpty)
    }
  }

  @Test func `A step that does not end is stuck, whatever the others do, until it ends`() {
    var watch = ProgressWatch(nowMs: 0)
    #expect(watch.stuck(look((1, true), (7, true)), isWaitingForRoom: false, nowMs: 1_000).isEmpty)
    for second in 2...60 {
      let looks = look((second, true), (7, true))
      #expect(watch.stuck(looks, isWaitingForRoom: false, nowMs: second * 1_000) == ["engine"])
    }
    #expect(watch.stuckForMs(nowMs: 60_000) == 59_000)
    // Done, and waiting; then at the next one.
    #expect(watch.stuck(look((60, true), (7, false)), isWaitingForRoom: false, nowMs: 61_000).isEmpty)
    #expect(watch.stuck(look((60, false), (8, true)), isWaitingForRoom: false, nowMs: 62_000).isEmpty)
    #expect(watch.stuck(look((60, false), (8, true)), isWaitingForRoom: false, nowMs: 63_000) == ["engine"])
  }

  @Test func `A full disk is waited for, and what was waiting then has its time from there on`() {
    var watch = ProgressWatch(nowMs: 0)
    for second in 1...100 {
      #expect(watch.stuck(look((1, true), (2, true)), isWaitingForRoom: true, nowMs: second).isEmpty)
    }
    #expect(watch.stuck(look((1, true), (3, false)), isWaitingForRoom: false, nowMs: 101) == ["ingest"])
    #expect(watch.stuck(look((2, true), (3, false)), isWaitingForRoom: false, nowMs: 102).isEmpty)
  }

  @Test func `A worker that is new is well`() {
    var watch = ProgressWatch(nowMs: 0)
    _ = watch.stuck([], isWaitingForRoom: false, nowMs: 1)
    #expect(watch.stuck(look((1, true), (1, true)), isWaitingForRoom: false, nowMs: 2).isEmpty)
  }
}
