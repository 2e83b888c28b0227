import Records
import Testing
import TestSupport

@testable import Join

@Suite struct JoinStateTests {
  private func decoded(_ bytes: [UInt8], like run: JoinRun) throws -> JoinRun {
    try decodedState(bytes) { decoder throws(StateError) in try JoinRun.decode(&decoder, like: run) }
  }

  @Test(arguments: Pairing.allCases)
  func `A join that was encoded and decoded does as before`(pairing: Pairing) throws {
    var random = SeededRandom(seed: testSeed())
    let original = JoinRun(pairing: pairing)
    var restored = try original.restored()
    var (pairs, settled) = (0, 0)
    for round in 1...8000 {
      let event = original.randomEvent(&random)
      let answer = original.apply(event)
      #expect(restored.apply(event) == answer, "round \(round): \(event)")
      #expect(restored.visible == original.visible, "round \(round): \(event)")
      if answer.contains("~") { pairs += 1 }
      if case .cover = event, !answer.isEmpty { settled += 1 }
      guard random.oneIn(100) else { continue }
      #expect(restored.bytes == original.bytes, "round \(round)")
      restored = try restored.restored()
      #expect(restored.visible == original.visible, "round \(round), decoded")
    }
    // All that can happen did.
    let counts = original.join.counts
    #expect(pairs > 0 && settled > 0 && counts.late > 0)
    #expect(counts.evictedByAge > 0 && counts.evictedIdle > 0 && counts.evictedForMemory > 0)
  }

  @Test func `Held readings are settled in the order of their times, however they came to lie`() throws {
    let original = JoinRun()
    original.join.settings.evicts = false
    let times = (0..<2000).map { Int64($0 * 7919 % 2000) }
    for time in times { _ = original.apply(.hold(1, timeMs: time, distance: 0)) }
    let restored = try original.restored()
    let coverage = JoinEvent.cover(
      1, Coverage(curatedFrom: EventTime(ms: 0), consentedFrom: EventTime(ms: 0)))
    let answer = original.apply(coverage)
    #expect(answer == (0..<2000).map { "trusted \($0) 1 0" }.joined(separator: ", "))
    #expect(restored.apply(coverage) == answer)
  }

  /// A join with readings of each kind, long texts among them, and sums that were never counted so.
  private func pinnedRun() -> JoinRun {
    let run = JoinRun()
    run.clockMs = 5
    _ = run.apply(.accelerometer(7, timeMs: 1000, numbers: "123"))
    _ = run.apply(.accelerometer(6, timeMs: 1000, numbers: "123456789012345678"))
    _ = run.apply(.stepTrainer(2, timeMs: 1010, distance: -1))
    run.clockMs = 6
    _ = run.apply(.hold(1, timeMs: 900, distance: 3))
    (run.join.counts.late, run.join.counts.evictedByAge) = (1, 2)
    (run.join.counts.evictedIdle, run.join.counts.evictedForMemory, run.join.expired) = (3, 4, 5)
    return run
  }

  private static let pinned = pinnedBytes(
    """
    01 00 00 00 00 00 00 00  late
    02 00 00 00 00 00 00 00  evicted by age
    03 00 00 00 00 00 00 00  evicted idle
    04 00 00 00 00 00 00 00  evicted for memory
    05 00 00 00 00 00 00 00  expired
    02 00 00 00 00 00 00 00  states
    02 00 00 00              serial number 2
    05 00 00 00 00 00 00 00  last arrival
    e8 03 00 00 00 00 00 00  latest accelerometer
    f2 03 00 00 00 00 00 00  latest step trainer
    02 00 00 00 00 00 00 00  accelerometer readings
    e8 03 00 00 00 00 00 00  time 1000
    06 00 00 00 06 01 0b     customer 6, lengths 6, 1 and 11
    31 32 33 34 35 36 37 38 39 30 31 32 33 34 35 36 37 38
    e8 03 00 00 00 00 00 00  time 1000
    07 00 00 00 01 01 01     customer 7, lengths 1, 1 and 1
    31 32 33
    01 00 00 00 00 00 00 00  step trainer readings
    f2 03 00 00 00 00 00 00  time 1010
    ff ff ff ff ff ff ff ff  distance -1
    02 00 00 00              serial number 2
    00 00 00 00 00 00 00 00  held readings
    01 00 00 00              serial number 1
    06 00 00 00 00 00 00 00  last arrival
    00 00 00 00 00 00 00 80  no accelerometer
    84 03 00 00 00 00 00 00  latest step trainer
    00 00 00 00 00 00 00 00  accelerometer readings
    00 00 00 00 00 00 00 00  step trainer readings
    01 00 00 00 00 00 00 00  held readings
    84 03 00 00 00 00 00 00  time 900
    03 00 00 00 00 00 00 00  distance 3
    01 00 00 00              serial number 1
    """)

  @Test func `The join is these bytes`() throws {
    let run = pinnedRun()
    #expect(run.bytes == Self.pinned)
    let back = try decoded(Self.pinned, like: run)
    #expect(back.bytes == Self.pinned && back.visible == run.visible)
    #expect(back.join.counts == run.join.counts && back.join.unsettledCount == 6)
  }

  @Test(arguments: [
    (7, 1, "a sum that was never counted", 0),
    (48, 6, "a number of nothing that may stand here", 48),
    (171, 2, "a serial number for the second time", 171),
    (175, 4, "serial numbers not in the order of their last activity", 175),
    (175, 7, "serial numbers not in the order of their last activity", 175),
    (60, 0xE7, "a reading later than the latest", 132),
    (68, 0, "a reading later than the latest", 159),
    (191, 0, "a reading later than the latest", 239),
    (76, 9, "a count of more than can follow", 76),
    (92, 12, "a number of nothing that may stand here", 92),
    (96, 0, "a coordinate without a text", 98),
    (125, 6, "readings out of order", 132),
    (159, 1, "a number of nothing that may stand here", 159),
    (239, 2, "a number of nothing that may stand here", 239),
  ])
  func `What no join is like is refused`(place: Int, byte: UInt8, what: String, at: Int) {
    var bytes = Self.pinned
    bytes[place] = byte
    #expect(throws: StateError(what, byte: at)) { try decoded(bytes, like: pinnedRun()) }
  }

  @Test func `By time alone only held readings lie under their serial number`() throws {
    let byTime = JoinRun(pairing: .timestamp)
    byTime.clockMs = 6
    #expect(throws: StateError("a number of nothing that may stand here", byte: 92)) {
      try decoded(Self.pinned, like: byTime)
    }
    _ = byTime.apply(.stepTrainer(2, timeMs: 1, distance: 0))
    _ = byTime.apply(.hold(3, timeMs: 1, distance: 0))
    #expect(try byTime.restored().apply(.accelerometer(0, timeMs: 1, numbers: "123")).hasPrefix("1 2 0~"))
    #expect(throws: StateError.self) { try decoded(byTime.bytes, like: JoinRun()) }
  }

  @Test(arguments: Pairing.allCases)
  func `Damage is harmless`(pairing: Pairing) {
    var random = SeededRandom(seed: testSeed())
    let run = JoinRun(pairing: pairing)
    run.clockMs = 1000
    for _ in 0..<60 {
      let event = run.randomEvent(&random)
      if case .pairing = event { continue }
      _ = run.apply(event)
    }
    expectDamageIsHarmless(
      to: run.bytes, changes: 3000, &random,
      decode: { decoder throws(StateError) in try JoinRun.decode(&decoder, like: run) },
      encode: { $0.join.encode(into: &$1) },
      use: { run, random in
        for _ in 0..<20 { _ = run.apply(run.randomEvent(&random)) }
        _ = run.bytes
      })
  }
}
