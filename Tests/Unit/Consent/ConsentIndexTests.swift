import Records
import Testing
import TestSupport

@testable import Consent

/// A consent index that takes and judges records as JSON would bring them.
private final class Index {
  let index: ConsentIndex
  private let batch = RecordBatch()
  private let parser = RecordParser()

  init(_ mode: ConsentMode = .enforce, hashSeed: UInt64 = 1) {
    index = ConsentIndex(mode: mode, hashSeed: hashSeed)
  }

  private func parsed<Result>(
    _ kind: RecordKind, _ json: String, _ body: (UnsafeMutableBufferPointer<Record>) -> Result
  ) -> Result {
    let text = PaddedText(Array(json.utf8))
    defer { withExtendedLifetime(text) {} }
    batch.clear()
    parser.parse(
      payload: text.bytes, route: TopicRoute(kind: kind), arrivalMs: 0, topic: text.bytes, into: batch)
    precondition(batch.records.allSatisfy { $0.problem == 0 }, "a test sends good records")
    return body(batch.records)
  }

  /// A customer record; the whole JSON is its row.
  @discardableResult
  func customer(
    _ email: String, _ serial: String? = "s", updated: Int64? = nil, registered: Int64? = nil,
    since: Int64? = nil, name: String = "n", arrivalMs: Int64 = 0
  ) -> CustomerChange {
    var json = "{\"email\":\"\(email)\",\"customerName\":\"\(name)\""
    if let serial { json += ",\"serialNumber\":\"\(serial)\"" }
    if let updated { json += ",\"lastUpdateDate\":\(updated)" }
    if let registered { json += ",\"registrationDate\":\(registered)" }
    if let since { json += ",\"shareWithResearchAsOfDate\":\(since)" }
    json += "}"
    return parsed(.customer, json) { records in
      Array(json.utf8).withUnsafeBytes {
        index.apply(records[0], batch.customer(of: records[0]), row: $0, arrivalMs: arrivalMs)
      }
    }
  }

  func accelerometer(_ user: String, _ timeMs: Int64, latest: Int64 = .max) -> Verdict? {
    parsed(.accelerometer, "{\"user\":\"\(user)\",\"timestamp\":\(timeMs),\"x\":1,\"y\":1,\"z\":1}") {
      records in
      index.judgeAccelerometer(records, latest: EventTime(ms: latest))
      return Verdict(rawValue: records[0].verdict)
    }
  }

  func stepTrainer(_ serial: String, _ timeMs: Int64, latest: Int64 = .max) -> Verdict? {
    let json = "{\"sensorReadingTime\":\(timeMs),\"serialNumber\":\"\(serial)\",\"distanceFromObject\":1}"
    return parsed(.stepTrainer, json) { records in
      index.judgeStepTrainer(records, latest: EventTime(ms: latest))
      return Verdict(rawValue: records[0].verdict)
    }
  }

  /// The row for customers_curated, if there is one to hand over.
  func takeRow(_ customer: CustomerID) -> String? {
    var row: [UInt8] = []
    index.takeRow(of: customer) { length in
      let place = UnsafeMutableRawPointer.allocate(byteCount: length, alignment: 1)
      taken.append(UnsafeMutableRawBufferPointer(start: place, count: length))
      return place
    }
    if let last = taken.popLast() {
      row = Array(last)
      last.deallocate()
    }
    return row.isEmpty ? nil : String(decoding: row, as: UTF8.self)
  }
  private var taken: [UnsafeMutableRawBufferPointer] = []
}

@Suite struct ConsentIndexTests {
  // MARK: Which record counts

  @Test func `An older record changes nothing`() {
    let index = Index()
    #expect(index.customer("a", updated: 10, since: 1).verdict == .consenting)
    let change = index.customer("a", "other", updated: 9)
    #expect(change.verdict == .stale && change.left == nil && !change.withdrew)
    #expect(index.accelerometer("a", 5) == .trusted)
    #expect(index.stepTrainer("other", 5) == .unknownDevice)
  }

  @Test func `At equal dates the later arrival wins`() {
    let index = Index()
    index.customer("a", updated: 10, since: 1)
    #expect(index.customer("a", updated: 10).verdict == .notConsenting)
    #expect(index.accelerometer("a", 5) == .noConsent)
  }

  @Test func `An identical repeat is stale`() {
    let index = Index()
    index.customer("a", updated: 10, since: 1)
    #expect(index.customer("a", updated: 10, since: 1).verdict == .stale)
    #expect(index.customer("a", since: 1, arrivalMs: 10).verdict == .consenting)
    #expect(index.customer("a", since: 1, arrivalMs: 11).verdict == .stale)
  }

  @Test func `A record without a date counts as dated by its registration, else by its arrival`() {
    let index = Index()
    index.customer("a", registered: 10, since: 1, arrivalMs: 1000)
    #expect(index.customer("a", updated: 9, arrivalMs: 1001).verdict == .stale)
    #expect(index.customer("a", updated: 11, arrivalMs: 1002).verdict == .notConsenting)
    index.customer("b", since: 1, arrivalMs: 1000)
    #expect(index.customer("b", registered: 999, arrivalMs: 2000).verdict == .stale)
    #expect(index.customer("b", arrivalMs: 1000).verdict == .notConsenting)
    #expect(index.customer("b", since: 1, arrivalMs: 999).verdict == .stale)
  }

  // MARK: Consent

  @Test(arguments: [nil, 0, -1, Int64.min] as [Int64?])
  func `Without a positive date there is no consent`(since: Int64?) {
    let index = Index()
    #expect(index.customer("a", since: since).verdict == .notConsenting)
    #expect(index.accelerometer("a", 5) == .noConsent)
    #expect(index.stepTrainer("s", 5) == .noConsent)
  }

  @Test func `A reading is covered from the consent date on`() {
    let index = Index()
    index.customer("a", since: 100)
    #expect(index.accelerometer("a", 99) == .beforeConsent)
    #expect(index.stepTrainer("s", 99) == .beforeConsent)
    #expect(index.stepTrainer("s", 100) == .held)
    #expect(index.accelerometer("a", 100) == .trusted)
    #expect(index.stepTrainer("s", 100) == .trusted)
    #expect(index.stepTrainer("s", 99) == .beforeConsent)
  }

  @Test func `By presence any reading of a consenting customer is covered`() {
    let index = Index(.presence)
    index.customer("a", since: 100)
    #expect(index.accelerometer("a", .min) == .trusted)
    #expect(index.stepTrainer("s", .min) == .trusted)
    index.customer("b", "t")
    #expect(index.accelerometer("b", 5) == .noConsent)
  }

  @Test func `Strangers and their devices are unknown`() {
    let index = Index()
    index.customer("a", since: 1)
    #expect(index.accelerometer("b", 5) == .unknownCustomer)
    #expect(index.accelerometer("A", 5) == .unknownCustomer)
    #expect(index.stepTrainer("t", 5) == .unknownDevice)
  }

  @Test func `Consent is judged before the time ahead`() {
    let index = Index()
    index.customer("a", since: 100)
    index.customer("n", "t")
    #expect(index.accelerometer("a", 201, latest: 200) == .future)
    #expect(index.accelerometer("a", 200, latest: 200) == .trusted)
    #expect(index.accelerometer("n", 201, latest: 200) == .noConsent)
    #expect(index.accelerometer("x", 201, latest: 200) == .unknownCustomer)
    #expect(index.stepTrainer("s", 201, latest: 200) == .future)
    #expect(index.stepTrainer("t", 201, latest: 200) == .noConsent)
  }

  @Test func `A withdrawal ends everything, a new consent begins anew`() {
    let index = Index()
    index.customer("a", updated: 1, since: 10)
    #expect(index.accelerometer("a", 50) == .trusted)
    let withdrawal = index.customer("a", updated: 2)
    #expect(withdrawal.verdict == .notConsenting && withdrawal.withdrew)
    #expect(index.accelerometer("a", 50) == .noConsent)
    #expect(index.stepTrainer("s", 50) == .noConsent)
    #expect(!index.customer("a", updated: 3).withdrew)
    let consent = index.customer("a", updated: 4, since: 60)
    #expect(consent.verdict == .consenting && !consent.withdrew)
    #expect(index.accelerometer("a", 50) == .beforeConsent)
    // It was curated before and stays so.
    #expect(index.stepTrainer("s", 60) == .trusted)
  }

  // MARK: Claims

  @Test func `A claim moves with the customer's record`() {
    let index = Index()
    index.customer("a", "s", updated: 1, since: 1)
    #expect(index.accelerometer("a", 5) == .trusted)
    let moved = index.customer("a", "t", updated: 2, since: 1)
    #expect(moved.left.map { String(decoding: index.index.text(of: $0).bytes, as: UTF8.self) } == "s")
    #expect(String(decoding: index.index.text(of: moved.claims).bytes, as: UTF8.self) == "t")
    #expect(index.stepTrainer("s", 5) == .unknownDevice)
    #expect(index.stepTrainer("t", 5) == .trusted)
    #expect(index.customer("a", nil, updated: 3, since: 1).left != nil)
    #expect(index.stepTrainer("t", 5) == .unknownDevice)
    #expect(index.customer("a", nil, updated: 4, since: 2).left == nil)
    #expect(index.customer("a", "s", updated: 5, since: 1).left != nil)
    #expect(index.stepTrainer("s", 5) == .trusted)
  }

  @Test func `Any of many claimants covers a serial number`() {
    let index = Index()
    index.customer("a", since: 300)
    index.customer("b", since: 100)
    index.customer("c", since: 200)
    index.customer("n")
    #expect(index.stepTrainer("s", 99) == .beforeConsent)
    #expect(index.stepTrainer("s", 100) == .held)
    #expect(index.accelerometer("c", 250) == .trusted)
    #expect(index.stepTrainer("s", 199) == .held)
    #expect(index.stepTrainer("s", 200) == .trusted)
    #expect(index.accelerometer("b", 150) == .trusted)
    #expect(index.stepTrainer("s", 100) == .trusted)
    index.customer("b", updated: 5, arrivalMs: 5)
    #expect(index.stepTrainer("s", 100) == .beforeConsent)
    #expect(index.stepTrainer("s", 200) == .trusted)
  }

  @Test(arguments: [ConsentMode.enforce, .presence])
  func `Coverage is that of all present claimants, whatever they did before`(mode: ConsentMode) {
    var random = SeededRandom(seed: testSeed())
    let index = Index(mode, hashSeed: random.next())
    var customers: [String: (serial: String, since: Int64?, isCurated: Bool)] = [:]
    for round in 1...4000 {
      let email = "c\(Int.random(in: 0..<60, using: &random))"
      if random.oneIn(4), let known = customers[email], let since = known.since {
        #expect(index.accelerometer(email, since) == .trusted)
        customers[email]?.isCurated = true
      } else {
        let serial = "s\(Int.random(in: 0..<3, using: &random))"
        let since = random.oneIn(3) ? nil : Int64.random(in: 1...50, using: &random)
        index.customer(email, serial, updated: Int64(round), since: since)
        customers[email] = (serial, since, customers[email]?.isCurated ?? false)
      }
      let serial = "s\(Int.random(in: 0..<3, using: &random))"
      let time = Int64.random(in: 0...51, using: &random)
      let claimants = customers.values.filter { $0.serial == serial }
      let dates = { (some: [(serial: String, since: Int64?, isCurated: Bool)]) in
        some.compactMap(\.since).map { mode == .presence ? Int64.min : $0 }
      }
      let expected: Verdict =
        if claimants.isEmpty { .unknownDevice } else if dates(claimants).isEmpty {
          .noConsent
        } else if dates(
          claimants.filter(\.isCurated)
        ).contains(where: { $0 <= time }) {
          .trusted
        } else if dates(claimants).contains(where: { $0 <= time }) {
          .held
        } else { .beforeConsent }
      #expect(index.stepTrainer(serial, time) == expected, "round \(round)")
    }
  }

  // MARK: Rows

  @Test func `A customer's latest row is handed over once ever`() {
    let index = Index()
    let first = index.customer("a", updated: 1, since: 1, name: "old")
    index.customer("a", updated: 2, since: 1, name: "new")
    #expect(index.takeRow(first.customer)?.contains("\"new\"") == true)
    #expect(index.takeRow(first.customer) == nil)
    #expect(index.accelerometer("a", 5) == .trusted)
    index.customer("a", updated: 3)
    index.customer("a", updated: 4, since: 1)
    #expect(index.takeRow(first.customer) == nil)
  }

  @Test func `The row of a customer that withdrew is kept nowhere`() {
    let index = Index()
    let change = index.customer("a", updated: 1, since: 1)
    index.customer("a", updated: 2)
    #expect(index.takeRow(change.customer) == nil)
  }

  @Test func `Thousands of customers are found again`() {
    let index = Index(hashSeed: 7)
    for number in 0..<5000 { index.customer("c\(number)", "s\(number % 30)", since: 1) }
    #expect(index.index.customerCount == 5000)
    #expect(index.index.serialCount == 30)
    for number in 0..<5000 { #expect(index.accelerometer("c\(number)", 1) == .trusted) }
    #expect(index.accelerometer("c5000", 1) == .unknownCustomer)
  }
}
