// Small random worlds: customers that share serial numbers, withdraw, change their minds and repeat
// themselves, and readings in any order. Small numbers of everything, so that things meet.

/// A message of one or several records of one kind.
public struct WorldMessage {
  public var kind: String
  public var records: [(record: OracleRecord, text: String)]
  public var arrivalMs: Int64
  public var payload: String
}

/// Messages in order of arrival, and the settings to judge them by.
public struct World {
  public var settings: OracleSettings
  public var messages: [WorldMessage]

  /// What the contract says of this world.
  public var expected: NaiveOracle {
    var oracle = NaiveOracle(settings)
    for message in messages {
      for (record, text) in message.records {
        oracle.handle(record, text: text, arrivalMs: message.arrivalMs, topic: "t")
      }
    }
    if settings.eviction == nil { oracle.end() }
    return oracle
  }
}

extension World: CustomStringConvertible {
  public var description: String {
    let lines = messages.map { "\($0.arrivalMs) \($0.kind): \($0.payload)" }
    return "\(settings)\n\(lines.joined(separator: "\n"))"
  }
}

/// Makes worlds.
public struct WorldMaker {
  public var random: SeededRandom
  /// The length of the unit in which the times of a gateway at work are drawn.
  public var stepMs: Int64 = 1
  private var customersMade: Int64 = 0
  private static let emails = ["a@x", "b@x", "c@x", "q\"\\ü@x"]
  private static let serialNumbers = ["s1", "s2", "s\"3"]
  private static let coordinates = [
    "1", "11", "1.0", "-0.5", "1e2", "0.12345678901234567", "-12345678.901234567", "3.0000000000000004",
  ]

  public init(seed: UInt64) { random = SeededRandom(seed: seed) }

  /// A replay: nothing is late, all times meet.
  public mutating func replay(extremeTimes: Bool = false) -> World {
    var settings = OracleSettings()
    settings.enforcesDates = !random.oneIn(3)
    settings.pairsByOwner = !random.oneIn(4)
    settings.toleranceMs = random.pick([0, 1, 3, 10])
    if extremeTimes { settings.toleranceMs = random.pick([0, 1, 1 << 40]) }
    let count = Int.random(in: 1...50, using: &random)
    let messages = (0..<count).map { _ in
      let time = extremeTimes ? extremeTime() : Int64.random(in: 0...40, using: &random)
      return message(
        random.oneIn(4) ? 3 : 1, timeMs: time, arrivalMs: Int64.random(in: 0...20, using: &random))
    }
    return World(settings: settings, messages: opening(arrivalMs: 0) + repeating(messages))
  }

  /// The gateway at work: readings close to their arrival, some late, some ahead, some after a silence.
  /// One record a message.
  public mutating func live() -> World {
    let settings = liveSettings()
    var arrivalMs = 100 * stepMs
    let openingMs = arrivalMs
    let count = Int.random(in: 10...100, using: &random)
    let messages = (0..<count).map { _ in
      arrivalMs += stepMs * Int64.random(in: random.oneIn(20) ? 30...80 : 0...4, using: &random)
      let spread: ClosedRange<Int64> = random.oneIn(5) ? -60...20 : -8...4
      let timeMs = arrivalMs + stepMs * Int64.random(in: spread, using: &random)
      return message(1, timeMs: timeMs, arrivalMs: arrivalMs)
    }
    return World(settings: settings, messages: opening(arrivalMs: openingMs) + repeating(messages))
  }

  /// Settings for a gateway at work.
  public mutating func liveSettings() -> OracleSettings {
    var settings = OracleSettings()
    settings.enforcesDates = !random.oneIn(3)
    settings.toleranceMs = stepMs * random.pick([0, 4, 12])
    settings.futureSkewMs = stepMs * 15
    settings.eviction = .init(
      latenessMs: stepMs * random.pick([0, 10, 20]), retentionMs: stepMs * random.pick([5, 30, 40]),
      idleMs: stepMs * random.pick([20, 60]))
    return settings
  }

  /// A replay in which all customers come before all readings.
  public mutating func customersFirst() -> World {
    var world = replay()
    let customers = world.messages.filter { $0.kind == "customer" }
    world.messages = customers + world.messages.filter { $0.kind != "customer" }
    return world
  }

  // Most worlds begin with a few customers, so that their readings do not meet strangers only.
  private mutating func opening(arrivalMs: Int64) -> [WorldMessage] {
    (0..<Int.random(in: 0...4, using: &random)).map { _ in
      var customer = OracleCustomer(email: random.pick(Self.emails))
      customer.serialNumber = random.pick(Self.serialNumbers)
      customer.lastUpdateMs = -1
      customer.researchMs = 1
      let text = render(.customer(customer))
      return WorldMessage(
        kind: "customer", records: [(.customer(customer), text)], arrivalMs: arrivalMs, payload: text)
    }
  }

  // A device that got no acknowledgement publishes again.
  private mutating func repeating(_ messages: [WorldMessage]) -> [WorldMessage] {
    var all: [WorldMessage] = []
    for message in messages {
      all.append(message)
      guard random.oneIn(6) else { continue }
      var again = random.pick(all.suffix(10))
      again.arrivalMs = message.arrivalMs
      all.append(again)
    }
    return all
  }

  private mutating func extremeTime() -> Int64 {
    let edges: [Int64] = [.min, -1, 0, 1, .max]
    let edge = random.pick(edges)
    return edge &+ (edge < 0 ? 1 : -1) &* Int64.random(in: 0...2, using: &random)
  }

  // MARK: Records

  private mutating func message(_ count: Int, timeMs: Int64, arrivalMs: Int64) -> WorldMessage {
    let kind = random.pick(["customer", "accelerometer", "accelerometer", "step_trainer", "step_trainer"])
    var records: [(record: OracleRecord, text: String)] = []
    for place in 0..<count {
      let (time, overflow) = timeMs.addingReportingOverflow(Int64(place))
      let record = record(kind, overflow ? timeMs : time)
      records.append((record, render(record)))
    }
    let malformed = records.filter { $0.record.isMalformed }.count
    // A payload without any good record is refused as one.
    if malformed == count { records.removeLast(count - 1) }
    let texts = records.map(\.text)
    // Of a damaged array the bad record would be all that follows.
    let isArray = malformed == 0 && random.oneIn(2)
    let payload =
      isArray ? "[\(texts.joined(separator: random.pick([",", " ,\n "])))]" : texts.joined(separator: "\n")
    return WorldMessage(kind: kind, records: records, arrivalMs: arrivalMs, payload: payload)
  }

  private mutating func record(_ kind: String, _ timeMs: Int64) -> OracleRecord {
    if random.oneIn(25) { return .malformed(kind: kind, detail: "not JSON") }
    switch kind {
    case "customer": return .customer(customer(timeMs))
    case "accelerometer":
      return .accelerometer(
        OracleAccelerometer(
          user: random.oneIn(15) ? "nobody" : random.pick(Self.emails), timeMs: timeMs,
          x: random.pick(Self.coordinates), y: random.pick(["1", "11"]), z: random.pick(Self.coordinates)))
    default:
      return .stepTrainer(
        OracleStepTrainer(
          timeMs: timeMs, serialNumber: random.oneIn(15) ? "nothing" : random.pick(Self.serialNumbers),
          distance: Int64.random(in: -1...1, using: &random)))
    }
  }

  private mutating func customer(_ timeMs: Int64) -> OracleCustomer {
    var customer = OracleCustomer(email: random.pick(Self.emails))
    if !random.oneIn(8) { customer.serialNumber = random.pick(Self.serialNumbers) }
    if random.oneIn(12) { customer.serialNumber = "" }
    // Mostly newer than those before.
    customersMade += 1
    if !random.oneIn(4) { customer.lastUpdateMs = customersMade + Int64.random(in: -2...2, using: &random) }
    if random.oneIn(2) { customer.registrationMs = customersMade + Int64.random(in: -2...2, using: &random) }
    if !random.oneIn(4) {
      // The end of time itself is no date that a customer gives.
      let earlier = min(timeMs, .max - 2)
      customer.researchMs = random.pick([1, 1, earlier, max(earlier, 10) - 10, random.pick([0, -1])])
    }
    if random.oneIn(4) { customer.customerName = "Nü \"\(random.pick(1...3))\"" }
    if random.oneIn(4) { customer.phone = random.pick(["5551", "1.50", "\"+1 \\u0035\""]) }
    return customer
  }

  // MARK: JSON

  // As one of many writers would have it: keys in another case or order, null, further keys.
  private mutating func render(_ record: OracleRecord) -> String {
    if record.isMalformed { return "{\"oops\"" }
    var columns = record.columns
    if random.oneIn(4) { columns.shuffle(using: &random) }
    if random.oneIn(4) { columns = columns.map { ($0.name.lowercased(), $0.json) } }
    if random.oneIn(10) { columns = columns.map { ("\\u00" + hex($0.name), $0.json) } }
    if random.oneIn(4) { columns.append(("more", "{\"user\":[1,null,\"}\"]}")) }
    if random.oneIn(4), case .customer(let customer) = record, customer.researchMs == nil {
      columns.append(("shareWithResearchAsOfDate", "null"))
    }
    let (colon, comma) = random.pick([(":", ","), (" : ", " ,  ")])
    return "{" + columns.map { "\"\($0.name)\"\(colon)\($0.json)" }.joined(separator: comma) + "}"
  }

  // The first character as what follows \u00, and the rest.
  private func hex(_ name: String) -> String {
    guard let first = name.utf8.first else { return name }
    return String(first, radix: 16) + name.dropFirst()
  }
}

extension OracleRecord {
  public var isMalformed: Bool { if case .malformed = self { true } else { false } }
}
