import Records
import Testing

@testable import Join

@Suite struct EvictionTests {
  private let short = joinSettings {
    ($0.toleranceMs, $0.allowedLatenessMs, $0.retentionMs, $0.idleMs) = (10, 100, 500, 1000)
  }

  @Test func `What no reading within the lateness can match is evicted`() {
    let joined = Joined(short)
    joined.accelerometer(0)
    joined.accelerometer(110)
    #expect(joined.join.readingCount == 2)
    // The watermark is the smaller of the two: at 110 the reading at 0 can still be matched from 10 on.
    joined.stepTrainer(110)
    #expect(joined.join.readingCount == 3)
    joined.stepTrainer(111)
    joined.accelerometer(111)
    #expect(joined.join.readingCount == 4 && joined.join.counts.evictedByAge == 1)
  }

  @Test func `A reading within the lateness finds all its partners`() {
    let joined = Joined(short)
    for time in stride(from: Int64(0), through: 400, by: 5) { joined.accelerometer(time) }
    joined.stepTrainer(400)
    #expect(joined.stepTrainer(300)?.count == 5)
    #expect(joined.join.counts.late == 0)
    #expect(joined.stepTrainer(299) == ["299~290", "299~295", "299~300", "299~305"])
    #expect(joined.join.counts.late == 1)
  }

  @Test func `A late reading is joined with what is there and counted`() {
    let joined = Joined(short)
    joined.accelerometer(1000)
    joined.stepTrainer(1000)
    joined.accelerometer(895)
    #expect(joined.join.counts.late == 1)
    #expect(joined.stepTrainer(896) == ["896~895"])
    #expect(joined.join.counts.late == 2)
  }

  @Test func `A silent partner is waited for as long as the retention`() {
    let joined = Joined(short)
    joined.accelerometer(0)
    joined.accelerometer(500)
    #expect(joined.join.readingCount == 2)
    joined.accelerometer(501)
    #expect(joined.join.readingCount == 2)
    joined.hold(0, serial: 1)
    joined.hold(501, serial: 1)
    #expect(joined.join.heldCount == 1)
    #expect(joined.join.takeExpired() == 1)
  }

  @Test func `One device with a wrong clock disturbs no other`() {
    let joined = Joined(short)
    joined.accelerometer(0, serial: 1)
    joined.accelerometer(1 << 50, serial: 2)
    joined.stepTrainer(1 << 50, serial: 2)
    #expect(joined.stepTrainer(0, serial: 1) == ["0~0"])
  }

  @Test func `A serial number that is silent for the idle time is evicted whole`() {
    let joined = Joined(short)
    joined.accelerometer(0, serial: 1)
    joined.hold(0, serial: 1)
    joined.arrivalMs = 500
    joined.accelerometer(0, serial: 2)
    joined.join.evictIdle(nowMs: 1000)
    #expect(joined.join.readingCount == 3)
    joined.join.evictIdle(nowMs: 1001)
    #expect(joined.join.readingCount == 1)
    #expect(joined.join.counts.evictedIdle == 2)
    #expect(joined.join.takeExpired() == 1)
    joined.join.evictIdle(nowMs: .max)
    #expect(joined.join.readingCount == 0 && joined.join.memoryBytes == 0)
    // And it begins anew.
    joined.accelerometer(5, serial: 1)
    #expect(joined.stepTrainer(5, serial: 1) == ["5~5"])
  }

  @Test func `Past the memory bound the oldest readings of all go first`() {
    let joined = Joined(joinSettings { ($0.retentionMs, $0.maxMemoryBytes) = (1 << 40, 64 << 10) })
    for time in 0..<5000 {
      joined.accelerometer(Int64(time), serial: UInt32(time % 3))
      #expect(joined.join.memoryBytes <= 64 << 10)
    }
    let kept = joined.join.readingCount
    #expect(kept > 1000 && joined.join.counts.evictedForMemory == 5000 - kept)
    #expect(joined.stepTrainer(4999, serial: UInt32(4999 % 3))?.isEmpty == false)
    let oldest = Int64(5000 - kept)
    for serial in 0..<3 {
      var state = joined.join.states.find(UInt32(serial))
      #expect(state?.pointee.accelerometer.first.map { $0.timeMs >= oldest } == true)
      state = nil
    }
  }

  @Test func `Serial numbers count in the memory bound, with readings or without`() {
    let joined = Joined(joinSettings { $0.maxMemoryBytes = 64 << 10 })
    for serial in 0..<2000 {
      joined.stepTrainer(5, serial: UInt32(serial))
      #expect(joined.join.memoryBytes <= 64 << 10)
    }
    let tight = Joined(joinSettings { $0.maxMemoryBytes = 100 })
    tight.stepTrainer(1)
    #expect(tight.join.readingCount == 0 && tight.join.memoryBytes == 0)
    tight.join.settle(after: SerialID(0))
    // A withdrawal leaves a state without readings; with the bound passed that must not matter.
    let empty = Joined(joinSettings { $0.maxMemoryBytes = 700 })
    for serial in 0..<2 { empty.stepTrainer(1, serial: UInt32(serial)) }
    empty.join.settings.maxMemoryBytes = 300
    for serial in 0..<2 { _ = empty.join.reconcile(SerialID(UInt32(serial)), with: .none) }
    empty.join.settle(after: SerialID(0))
    #expect(empty.join.memoryBytes == 0)
  }

  @Test func `A replay evicts nothing`() {
    let joined = Joined(
      joinSettings { ($0.evicts, $0.retentionMs, $0.idleMs, $0.maxMemoryBytes) = (false, 1, 1, 1) })
    for time in 0..<500 { joined.accelerometer(Int64(time) * 1_000_000) }
    joined.join.evictIdle(nowMs: .max)
    #expect(joined.join.readingCount == 500)
    #expect(joined.join.counts == JoinCounts())
  }
}
