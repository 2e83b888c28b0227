// A join under random events, and all that can be seen of it.

import Records
import TestSupport

@testable import Join

/// What happens to a join.
enum JoinEvent {
  case accelerometer(UInt32, timeMs: Int64, numbers: String)
  case stepTrainer(UInt32, timeMs: Int64, distance: Int64)
  case hold(UInt32, timeMs: Int64, distance: Int64)
  case withdraw(UInt32)
  case move(UInt32, to: UInt32)
  case cover(UInt32, Coverage)
  case pairing(Pairing)
  case memory(Int)
  case arrival(afterMs: Int64)
  case takeExpired
}

/// A join with its customers: their consent dates, and the serial numbers they claim.
final class JoinRun {
  static let customers = 12
  static let serials = 6

  let join: IntervalJoin
  var since: [Int64]
  var claims: [UInt32]
  var clockMs: Int64

  init(_ join: IntervalJoin, since: [Int64], claims: [UInt32], clockMs: Int64 = 0) {
    self.join = join
    (self.since, self.claims, self.clockMs) = (since, claims, clockMs)
  }

  /// A join that evicts soon.
  convenience init(pairing: Pairing = .owner) {
    let settings = joinSettings {
      ($0.pairing, $0.toleranceMs, $0.allowedLatenessMs) = (pairing, 20, 150)
      ($0.retentionMs, $0.idleMs, $0.maxMemoryBytes) = (1500, 400, 60 << 10)
    }
    self.init(
      IntervalJoin(settings: settings), since: (0..<Self.customers).map { Int64($0) * 300 },
      claims: (0..<Self.customers).map { UInt32($0 / 3) })
  }

  /// An event at about the present time.
  func randomEvent(_ random: inout SeededRandom) -> JoinEvent {
    let spread: Int64 = random.oneIn(30) ? 2000 : 80
    let timeMs = clockMs + Int64.random(in: -spread...spread, using: &random)
    let customer = UInt32.random(in: 0..<UInt32(Self.customers), using: &random)
    let serial = UInt32.random(in: 0..<UInt32(Self.serials), using: &random)
    let distance = Int64.random(in: 0..<4, using: &random)
    switch Int.random(in: 0..<1000, using: &random) {
    case ..<400: return .accelerometer(customer, timeMs: timeMs, numbers: Self.numbers(&random))
    case ..<600: return .stepTrainer(serial, timeMs: timeMs, distance: distance)
    case ..<920: return .hold(serial, timeMs: timeMs, distance: distance)
    case ..<930: return .withdraw(customer)
    case ..<940: return .move(customer, to: serial)
    case ..<950:
      let dates = [clockMs - 100, clockMs, clockMs + 50, .max, .min]
      return .cover(
        serial,
        Coverage(
          curatedFrom: EventTime(ms: random.pick(dates)), consentedFrom: EventTime(ms: random.pick(dates))))
    case ..<953: return .pairing(random.pick(Pairing.allCases))
    case ..<956: return .memory(random.pick([2 << 10, 20 << 10, 60 << 10]))
    case ..<960: return .takeExpired
    default: return .arrival(afterMs: random.oneIn(20) ? 420 : Int64.random(in: 0...20, using: &random))
    }
  }

  private static func numbers(_ random: inout SeededRandom) -> String {
    let length = random.pick([3, 5, 15, 16, 17, 40, 61, 300])
    return String((0..<length).map { _ in random.pick("0123456789") })
  }

  /// Does to the join what an event does in the engine, and tells what the join said.
  func apply(_ event: JoinEvent) -> String {
    switch event {
    case .accelerometer(let customer, let timeMs, let numbers):
      return add(customer, timeMs, numbers)
    case .stepTrainer(let serial, let timeMs, let distance):
      let added = join.addStepTrainer(reading(serial, timeMs, distance), arrivalMs: clockMs)
      defer { join.settle(after: SerialID(serial)) }
      return partners(added)
    case .hold(let serial, let timeMs, let distance):
      let isNew = join.hold(reading(serial, timeMs, distance), arrivalMs: clockMs)
      join.settle(after: SerialID(serial))
      return "\(isNew)"
    case .withdraw(let customer):
      let serial = SerialID(claims[Int(customer)])
      join.removeReadings(of: CustomerID(customer), serial: serial)
      join.settle(after: serial)
    case .move(let customer, let serial):
      join.moveReadings(
        of: CustomerID(customer), from: SerialID(claims[Int(customer)]), to: SerialID(serial),
        arrivalMs: clockMs)
      claims[Int(customer)] = serial
    case .cover(let serial, let coverage):
      let settled = join.reconcile(SerialID(serial), with: coverage)
      join.settle(after: SerialID(serial))
      return settled.map { "\($0.verdict) \(text($0.reading))" }.joined(separator: ", ")
    case .pairing(let pairing):
      join.setPairing(pairing, arrivalMs: clockMs) { SerialID(self.claims[Int($0.raw)]) }
    case .memory(let bytes): join.settings.maxMemoryBytes = bytes
    case .arrival(let afterMs):
      clockMs += afterMs
      join.evictIdle(nowMs: clockMs)
    case .takeExpired: return "\(join.takeExpired())"
    }
    return ""
  }

  private func add(_ customer: UInt32, _ timeMs: Int64, _ numbers: String) -> String {
    var text = Array(numbers.utf8)
    let serial = SerialID(claims[Int(customer)])
    return text.withUnsafeMutableBufferPointer { text in
      var record = Record()
      record.time_ms = timeMs
      record.subject = customer
      record.numbers = UnsafePointer(text.baseAddress)
      (record.x_length, record.y_length) = (UInt8(text.count / 3), 1)
      record.z_length = UInt8(text.count - text.count / 3 - 1)
      let added = join.addAccelerometer(record, serial: serial, arrivalMs: clockMs)
      defer { join.settle(after: serial) }
      return partners(added)
    }
  }

  private func reading(_ serial: UInt32, _ timeMs: Int64, _ distance: Int64) -> StepTrainerReading {
    var record = Record()
    (record.time_ms, record.distance, record.subject) = (timeMs, distance, serial)
    return StepTrainerReading(record)
  }

  private func partners(_ added: Added) -> String {
    if added.isDuplicate { return "duplicate" }
    var matches = added.matches
    var found: [String] = []
    since.withUnsafeBytes { dates in
      let dates = ConsentDates(first: dates.baseAddress!, stride: 8, mode: .enforce)
      while true {
        let some = join.next(&matches, dates)
        if some.isEmpty { return }
        found += some.map { text($0.stepTrainer) + "~" + text($0.accelerometer) }
      }
    }
    return found.joined(separator: ", ")
  }

  private func text(_ reading: StepTrainerReading) -> String {
    "\(reading.timeMs) \(reading.serial.raw) \(reading.distance)"
  }

  private func text(_ reading: AccelerometerReading) -> String {
    var numbers = [UInt8](repeating: 0, count: 765)
    numbers.withUnsafeMutableBytes { join.copyNumbers(of: reading, to: $0.baseAddress!) }
    let lengths = [reading.xLength, reading.yLength, reading.zLength]
    return "\(reading.timeMs) \(reading.customer.raw) \(lengths) "
      + String(decoding: numbers.prefix(lengths.reduce(0, +)), as: UTF8.self)
  }

  /// What the join says of itself.
  var visible: String {
    "\(join.readingCount) readings, \(join.heldCount) held, \(join.unsettledCount) unsettled, "
      + "\(join.memoryBytes) bytes, \(join.counts)"
  }

  // MARK: State

  var bytes: [UInt8] { encodedState { join.encode(into: &$0) } }

  static func decode(_ decoder: inout StateDecoder, like run: JoinRun) throws(StateError) -> JoinRun {
    let join = try IntervalJoin(
      settings: run.join.settings, decoding: &decoder, customerCount: customers, serialCount: serials,
      clockMs: run.clockMs)
    return JoinRun(join, since: run.since, claims: run.claims, clockMs: run.clockMs)
  }

  /// A join that was encoded and decoded.
  func restored() throws -> JoinRun {
    try decodedState(bytes) { decoder throws(StateError) in try JoinRun.decode(&decoder, like: self) }
  }
}
