import Records
import Testing

@testable import Join

@Suite struct IntervalJoinTests {
  @Test(arguments: [0, 1, 100, Int64.max])
  func `The tolerance is the largest difference of a pair`(tolerance: Int64) {
    let joined = Joined(joinSettings { ($0.toleranceMs, $0.evicts) = (tolerance, false) })
    joined.accelerometer(0)
    #expect(joined.stepTrainer(tolerance) == ["\(tolerance)~0"])
    #expect(joined.stepTrainer(-tolerance, distance: 1) == ["\(-tolerance)~0"])
    if tolerance < .max {
      #expect(joined.stepTrainer(tolerance + 1) == [])
      #expect(joined.stepTrainer(-tolerance - 1) == [])
    }
    // And with the arrival turned round.
    let turned = Joined(joinSettings { ($0.toleranceMs, $0.evicts) = (tolerance, false) })
    turned.stepTrainer(0)
    #expect(turned.accelerometer(tolerance) == ["0~\(tolerance)"])
    if tolerance < .max { #expect(turned.accelerometer(-tolerance - 1) == []) }
  }

  @Test func `Times at the ends of 64 bits do not wrap around`() {
    let joined = Joined(joinSettings { $0.evicts = false })
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
    let joined = Joined(joinSettings { ($0.toleranceMs, $0.evicts) = (1000, false) })
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
    let joined = Joined(joinSettings { $0.evicts = false }, since: [50, .min, .max])
    joined.accelerometer(60, customer: 0)
    joined.accelerometer(61, customer: 1)
    #expect(joined.stepTrainer(49) == ["49~61"])
    #expect(joined.stepTrainer(50) == ["50~60", "50~61"])
  }

  @Test func `Serial numbers do not meet, but by time alone they do`() {
    let joined = Joined(joinSettings { $0.evicts = false })
    joined.accelerometer(0, serial: 1)
    #expect(joined.stepTrainer(0, serial: 2) == [])
    let byTime = Joined(joinSettings { ($0.pairing, $0.evicts) = (.timestamp, false) }, since: [.max])
    byTime.accelerometer(0, serial: 1)
    #expect(byTime.stepTrainer(0, serial: 2) == ["0~0"])
    #expect(byTime.stepTrainer(0, serial: 3) == ["0~0"])
    #expect(byTime.stepTrainer(0, serial: 3) == nil)
  }

  // MARK: Consent changes

  @Test func `A withdrawal drops the customer's readings and what it alone covered`() {
    let joined = Joined(joinSettings { $0.evicts = false })
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
    let joined = Joined(joinSettings { $0.evicts = false })
    for time in [Int64.min, 0, .max] { joined.stepTrainer(time) }
    #expect(joined.join.reconcile(SerialID(0), with: .none).isEmpty)
    #expect(joined.join.readingCount == 0)
  }

  @Test func `A customer's readings move along and make no pairs by that`() {
    let joined = Joined(joinSettings { $0.evicts = false })
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
    let joined = Joined(joinSettings { $0.evicts = false })
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
    let joined = Joined(joinSettings { $0.evicts = false })
    for serial in 0..<3 { joined.hold(1, serial: UInt32(serial)) }
    #expect(joined.join.endHeld() == 3)
    #expect(joined.join.endHeld() == 0)
    #expect(joined.join.readingCount == 0)
  }
}
