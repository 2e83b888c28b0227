import Records
import Testing
import TestSupport

@testable import Join

/// A join whose customers consent from `since` on, and all claim serial number 0 unless told otherwise.
private final class Joined {
  let join: IntervalJoin
  var since: [Int64]
  var arrivalMs: Int64 = 0

  init(_ settings: JoinSettings = JoinSettings(), since: [Int64] = [.min, .min]) {
    join = IntervalJoin(settings: settings)
    self.since = since
  }

  private func pairs(_ added: Added) -> [String]? {
    if added.isDuplicate { return nil }
    var matches = added.matches
    var found: [String] = []
    since.withUnsafeBytes { dates in
      let dates = ConsentDates(first: dates.baseAddress!, stride: 8)
      while true {
        let some = join.next(&matches, dates)
        if some.isEmpty { return }
        found += some.map { "\($0.stepTrainer.timeMs)~\($0.accelerometer.timeMs)" }
      }
    }
    return found
  }

  /// The pairs "step trainer~accelerometer", nil for a duplicate.
  @discardableResult
  func accelerometer(
    _ timeMs: Int64, customer: UInt32 = 0, serial: UInt32 = 0, numbers: String = "123", xLength: UInt8 = 1
  ) -> [String]? {
    var text = Array(numbers.utf8)
    return text.withUnsafeMutableBufferPointer { text in
      var record = Record()
      record.time_ms = timeMs
      record.subject = customer
      record.numbers = UnsafePointer(text.baseAddress)
      (record.x_length, record.y_length) = (xLength, 1)
      record.z_length = UInt8(text.count) - xLength - 1
      let added = join.addAccelerometer(record, serial: SerialID(serial), arrivalMs: arrivalMs)
      defer { join.settle(after: SerialID(serial)) }
      return pairs(added)
    }
  }

  func reading(_ timeMs: Int64, _ serial: UInt32, _ distance: Int64) -> StepTrainerReading {
    var record = Record()
    record.time_ms = timeMs
    record.distance = distance
    record.subject = serial
    return StepTrainerReading(record)
  }

  @discardableResult
  func stepTrainer(_ timeMs: Int64, serial: UInt32 = 0, distance: Int64 = 0) -> [String]? {
    let added = join.addStepTrainer(reading(timeMs, serial, distance), arrivalMs: arrivalMs)
    defer { join.settle(after: SerialID(serial)) }
    return pairs(added)
  }

  @discardableResult
  func hold(_ timeMs: Int64, serial: UInt32 = 0) -> Bool {
    defer { join.settle(after: SerialID(serial)) }
    return join.hold(reading(timeMs, serial, 0), arrivalMs: arrivalMs)
  }
}

private func settings(_ change: (inout JoinSettings) -> Void) -> JoinSettings {
  var settings = JoinSettings()
  change(&settings)
  return settings
}

private let everywhere = Coverage(curatedFrom: .distantPast, consentedFrom: .distantPast)

@Suite struct IntervalJoinTests {
  @Test(arguments: [0, 1, 100, Int64.max])
  func `The tolerance is the largest difference of a pair`(tolerance: Int64) {
    let joined = Joined(settings { ($0.toleranceMs, $0.evicts) = (tolerance, false) })
    joined.accelerometer(0)
    #expect(joined.stepTrainer(tolerance) == ["\(tolerance)~0"])
    #expect(joined.stepTrainer(-tolerance, distance: 1) == ["\(-tolerance)~0"])
    if tolerance < .max {
      #expect(joined.stepTrainer(tolerance + 1) == [])
      #expect(joined.stepTrainer(-tolerance - 1) == [])
    }
    // And with the arrival turned round.
    let turned = Joined(settings { ($0.toleranceMs, $0.evicts) = (tolerance, false) })
    turned.stepTrainer(0)
    #expect(turned.accelerometer(tolerance) == ["0~\(tolerance)"])
    if tolerance < .max { #expect(turned.accelerometer(-tolerance - 1) == []) }
  }

  @Test func `Times at the ends of 64 bits do not wrap around`() {
    let joined = Joined(settings { $0.evicts = false })
    joined.accelerometer(.min)
    #expect(joined.stepTrainer(.max) == [])
    #expect(joined.stepTrainer(.min) == ["\(Int64.min)~\(Int64.min)"])
    #expect(joined.accelerometer(.max - 100) == ["\(Int64.max)~\(Int64.max - 100)"])
    let live = Joined()
    live.accelerometer(.min)
    live.stepTrainer(.min)
    live.accelerometer(.max)
    live.stepTrainer(.max)
    #expect(live.join.readingCount == 2)
  }

  @Test func `All pairs come, each once, however many there are`() {
    let joined = Joined(settings { ($0.toleranceMs, $0.evicts) = (1000, false) })
    for time in 0..<700 { joined.accelerometer(Int64(time)) }
    let expected = (0..<700).map { "350~\($0)" }
    #expect(joined.stepTrainer(350) == expected)
    #expect(joined.accelerometer(350, numbers: "999") == ["350~350"])
  }

  @Test func `An exact repeat is a duplicate, any other value is not`() {
    let joined = Joined()
    #expect(joined.accelerometer(1) == [])
    #expect(joined.accelerometer(1) == nil)
    #expect(joined.accelerometer(1, numbers: "124") == [])
    #expect(joined.accelerometer(1, numbers: "1230") == [])
    #expect(joined.accelerometer(1, customer: 1) == [])
    let long = "12" + String(repeating: "3", count: 40)
    #expect(joined.accelerometer(1, numbers: long) == [])
    #expect(joined.accelerometer(1, numbers: long) == nil)
    #expect(joined.accelerometer(1, numbers: long.dropLast() + "4") == [])
    // The same digits, but as 12, 3 and 4 instead of 1, 2 and 34.
    #expect(joined.accelerometer(1, numbers: "1234") == [])
    #expect(joined.accelerometer(1, numbers: "1234", xLength: 2) == [])
    #expect(joined.accelerometer(1, numbers: long, xLength: 2) == [])
    #expect(joined.stepTrainer(1)?.count == 9)
    #expect(joined.stepTrainer(1) == nil)
    #expect(joined.stepTrainer(1, distance: 1)?.count == 9)
  }

  @Test func `A pair needs its own customer's consent for both readings`() {
    let joined = Joined(settings { $0.evicts = false }, since: [50, .min, .max])
    joined.accelerometer(60, customer: 0)
    joined.accelerometer(61, customer: 1)
    #expect(joined.stepTrainer(49) == ["49~61"])
    #expect(joined.stepTrainer(50) == ["50~60", "50~61"])
  }

  @Test func `Serial numbers do not meet, but by time alone they do`() {
    let joined = Joined(settings { $0.evicts = false })
    joined.accelerometer(0, serial: 1)
    #expect(joined.stepTrainer(0, serial: 2) == [])
    let byTime = Joined(settings { ($0.pairing, $0.evicts) = (.timestamp, false) }, since: [.max])
    byTime.accelerometer(0, serial: 1)
    #expect(byTime.stepTrainer(0, serial: 2) == ["0~0"])
    #expect(byTime.stepTrainer(0, serial: 3) == ["0~0"])
    #expect(byTime.stepTrainer(0, serial: 3) == nil)
  }

  // MARK: Consent changes

  @Test func `A withdrawal drops the customer's readings and what it alone covered`() {
    let joined = Joined(settings { $0.evicts = false })
    joined.accelerometer(1, customer: 0, numbers: "12" + String(repeating: "3", count: 100))
    joined.accelerometer(2, customer: 1)
    joined.stepTrainer(1)
    joined.stepTrainer(10)
    joined.join.removeReadings(of: CustomerID(0), serial: SerialID(0))
    let rest = Coverage(curatedFrom: EventTime(ms: 5), consentedFrom: EventTime(ms: 5))
    #expect(joined.join.reconcile(SerialID(0), with: rest).isEmpty)
    #expect(joined.join.readingCount == 2)
    #expect(joined.join.texts.occupiedCells == 0)
    #expect(joined.accelerometer(3, customer: 1) == ["10~3"])
    #expect(joined.stepTrainer(2) == ["2~2", "2~3"])
  }

  @Test func `Without any claimant nothing is left, whatever its time`() {
    let joined = Joined(settings { $0.evicts = false })
    for time in [Int64.min, 0, .max] { joined.stepTrainer(time) }
    #expect(joined.join.reconcile(SerialID(0), with: .none).isEmpty)
    #expect(joined.join.readingCount == 0)
  }

  @Test func `A customer's readings move along and make no pairs by that`() {
    let joined = Joined(settings { $0.evicts = false })
    joined.accelerometer(1, customer: 0, serial: 1)
    joined.accelerometer(2, customer: 1, serial: 1)
    joined.stepTrainer(1, serial: 2)
    joined.join.moveReadings(of: CustomerID(0), from: SerialID(1), to: SerialID(2), arrivalMs: 0)
    #expect(joined.join.readingCount == 3)
    #expect(joined.accelerometer(1, customer: 0, serial: 2) == nil)
    #expect(joined.stepTrainer(3, serial: 2) == ["3~1"])
    #expect(joined.stepTrainer(3, serial: 1) == ["3~2"])
  }

  @Test func `Held readings get their verdict when coverage changes`() {
    let joined = Joined(settings { $0.evicts = false })
    for time in [10, 20, 30, Int64.max] { joined.hold(time) }
    #expect(!joined.hold(20))
    #expect(joined.join.heldCount == 4)
    let later = Coverage(curatedFrom: .distantFuture, consentedFrom: EventTime(ms: 15))
    let early = joined.join.reconcile(SerialID(0), with: later)
    #expect(early.map(\.reading.timeMs) == [10] && early.map(\.verdict) == [.beforeConsent])
    let curated = Coverage(curatedFrom: EventTime(ms: 25), consentedFrom: EventTime(ms: 15))
    let trusted = joined.join.reconcile(SerialID(0), with: curated)
    #expect(
      Set(trusted.map(\.reading.timeMs)) == [30, .max] && trusted.allSatisfy { $0.verdict == .trusted })
    let none = joined.join.reconcile(SerialID(0), with: .none)
    #expect(none.map(\.reading.timeMs) == [20] && none.map(\.verdict) == [.noConsent])
    #expect(joined.join.heldCount == 0)
  }

  @Test func `At the end of a replay what is held is counted out`() {
    let joined = Joined(settings { $0.evicts = false })
    for serial in 0..<3 { joined.hold(1, serial: UInt32(serial)) }
    #expect(joined.join.endHeld() == 3)
    #expect(joined.join.endHeld() == 0)
    #expect(joined.join.readingCount == 0)
  }
}

@Suite struct EvictionTests {
  private let short = settings {
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
    let joined = Joined(settings { ($0.retentionMs, $0.maxMemoryBytes) = (1 << 40, 64 << 10) })
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
    let joined = Joined(settings { $0.maxMemoryBytes = 64 << 10 })
    for serial in 0..<2000 {
      joined.stepTrainer(5, serial: UInt32(serial))
      #expect(joined.join.memoryBytes <= 64 << 10)
    }
    let tight = Joined(settings { $0.maxMemoryBytes = 100 })
    tight.stepTrainer(1)
    #expect(tight.join.readingCount == 0 && tight.join.memoryBytes == 0)
    tight.join.settle(after: SerialID(0))
    // A withdrawal leaves a state without readings; with the bound passed that must not matter.
    let empty = Joined(settings { $0.maxMemoryBytes = 700 })
    for serial in 0..<2 { empty.stepTrainer(1, serial: UInt32(serial)) }
    empty.join.settings.maxMemoryBytes = 300
    for serial in 0..<2 { _ = empty.join.reconcile(SerialID(UInt32(serial)), with: .none) }
    empty.join.settle(after: SerialID(0))
    #expect(empty.join.memoryBytes == 0)
  }

  @Test func `A replay evicts nothing`() {
    let joined = Joined(
      settings { ($0.evicts, $0.retentionMs, $0.idleMs, $0.maxMemoryBytes) = (false, 1, 1, 1) })
    for time in 0..<500 { joined.accelerometer(Int64(time) * 1_000_000) }
    joined.join.evictIdle(nowMs: .max)
    #expect(joined.join.readingCount == 500)
    #expect(joined.join.counts == JoinCounts())
  }
}
