// A made-up fleet: customers and the readings of their devices, the same for the same seed and clock, with a
// known verdict for every record.
//
// Invariants:
// - Exactly `readings` accelerometer and step trainer records come out, the refused ones included.
// - From 8 customers and 100 readings on, every verdict there is occurs.
// - No reading repeats another by chance: a customer's readings within 256 of each other differ in time or
//   distance, and those further apart are minutes apart.
// - All readings are older than the clock, but those meant to be from the future: by a day.

/// The stretch of time that the readings come from.
struct ReadingWindow: Sendable {
  let startMs: Int
  let lengthMs: Int

  var middleMs: Int { startMs + lengthMs / 2 }

  /// It ends a minute before `nowMs`, and lasts at least 40 minutes: `join.retention` (15 min) must pass in
  /// its second half. With many readings a customer each device sends about once a second.
  init(nowMs: Int, customers: Int, readings: Int) {
    lengthMs = max(40 * 60_000, readings / customers * 1_000)
    startMs = nowMs - 60_000 - lengthMs
  }

  func time(_ done: Int, of total: Int) -> Int {
    startMs + Int(Double(lengthMs) * Double(done) / Double(max(1, total)))
  }
}

/// A sequence of the messages of a fleet: first the customers, then readings in roughly the order of their
/// times. It can be iterated any number of times, always with the same outcome.
public struct Fleet: Sequence, Sendable {
  /// How many customers there are, at least 1.
  public let customers: Int
  /// How many readings of both kinds come out.
  public let readings: Int
  /// Another seed is another fleet.
  public let seed: UInt64
  let window: ReadingWindow
  let plan: [Planned]

  /// A fleet whose readings end shortly before `nowMs` (milliseconds since 1970, UTC).
  public init(customers: Int, readings: Int, seed: UInt64, nowMs: Int) {
    precondition(customers > 0 && readings >= 0)
    self.customers = customers
    self.readings = readings
    self.seed = seed
    window = ReadingWindow(nowMs: nowMs, customers: customers, readings: readings)
    plan = Planned.make(customers: customers, readings: readings, seed: seed)
  }

  /// The messages from the first on.
  public func makeIterator() -> FleetIterator { FleetIterator(self) }

  func customer(_ index: Int) -> FleetCustomer {
    FleetCustomer(index: index, seed: seed, window: window)
  }
}

/// Something that must happen once so many readings are out, rather than by chance.
struct Planned: Sendable {
  enum Event: Sendable {
    case readings(of: Int)
    case reading(ofSilent: Int)
    case withdrawal(of: Int)
    case malformed, spoiledArray, oversized, identityMismatch, duplicate, future, late
    case unknownCustomer, unknownDevice
  }

  let position: Int
  let event: Event

  /// How many readings the event takes.
  var cost: Int {
    switch event {
    case .withdrawal: 0
    case .readings, .duplicate, .spoiledArray: 2
    default: 1
    }
  }

  static func make(customers: Int, readings: Int, seed: UInt64) -> [Planned] {
    var random = SeededRandom(seed: seed ^ 0x9216_D5D9_8979_FB1B)
    var plan = [Planned(position: 0, event: .readings(of: 0))]

    func add(_ fraction: Double, _ event: Event) {
      plan.append(Planned(position: Int(Double(readings) * fraction), event: event))
    }
    func addShare(_ share: Double, atLeast least: Int = 1, _ event: Event) {
      for _ in 0..<max(least, Int(Double(readings) * share)) {
        add(0.05 + 0.85 * Double(random.below(1_000)) / 1_000, event)
      }
    }
    func first(_ count: Int, withIndexModulo8 remainder: Int) -> [Int] {
      (0..<max(1, count)).map { remainder + 8 * $0 }.filter { $0 < customers }
    }

    for index in first(1, withIndexModulo8: 4) { add(0.3, .readings(of: index)) }
    for index in first(1, withIndexModulo8: 5) {
      add(0.1, .readings(of: index))
      add(0.9, .readings(of: index))
    }
    for index in first(min(1_000, readings / 100), withIndexModulo8: 6) {
      add(0.02 + 0.3 * Double(random.below(1_000)) / 1_000, .reading(ofSilent: index))
      add(0.97, .reading(ofSilent: index))
    }
    for index in first(readings / 1_000, withIndexModulo8: 7) {
      add(0.2, .readings(of: index))
      add(0.6, .withdrawal(of: index))
      add(0.8, .readings(of: index))
    }
    addShare(0.005, atLeast: 2, .malformed)
    addShare(0.001, .spoiledArray)
    addShare(0, atLeast: readings < 10_000 ? 1 : 2, .oversized)
    addShare(0.002, atLeast: 2, .identityMismatch)
    addShare(0.01, atLeast: 2, .duplicate)
    addShare(0.002, atLeast: 2, .future)
    addShare(0.01, .unknownCustomer)
    addShare(0.01, .unknownDevice)
    addShare(0.005, atLeast: 2, .late)
    return fitting(plan, into: readings)
  }

  /// The plan in order of position, without what a very small number of readings has no room for.
  private static func fitting(_ plan: [Planned], into readings: Int) -> [Planned] {
    var room = readings
    var kept: [(order: Int, planned: Planned)] = []
    for (order, planned) in plan.enumerated() where planned.cost <= room {
      room -= planned.cost
      kept.append((order, planned))
    }
    kept.sort { ($0.planned.position, $0.order) < ($1.planned.position, $1.order) }
    return kept.map(\.planned)
  }
}
