// The readings of each serial number, and the order in which the serial numbers were last active.
//
// Invariants:
// - A serial number has a state from its first reading until it is evicted whole.
// - The states form a list by last activity, oldest first; `lastArrivalMs` never falls along it.

import Records

struct SerialState {
  var accelerometer = ReadingList<AccelerometerReading>()
  var stepTrainer = ReadingList<StepTrainerReading>()
  /// Step trainer readings that wait for a claimant to be curated.
  var held = ReadingList<StepTrainerReading>()
  /// The latest event time of each input, `.distantPast` before the first.
  var latestAccelerometer = EventTime.distantPast
  var latestStepTrainer = EventTime.distantPast
  var lastArrivalMs: Int64 = 0
  var serial: UInt32 = 0
  var older = SerialStates.none
  var newer = SerialStates.none

  /// The smaller of the two inputs' latest event times.
  var watermark: EventTime { min(latestAccelerometer, latestStepTrainer) }
  var isEmpty: Bool { accelerometer.count == 0 && stepTrainer.count == 0 && held.count == 0 }
}

struct SerialStates: ~Copyable {
  static let none = UInt32.max

  private var states: UnsafeMutablePointer<SerialState> = .allocate(capacity: 16)
  private var capacity = 16
  private var used = 0
  private var freeStates: [UInt32] = []
  private(set) var placeOfSerial: [UInt32] = []
  private(set) var oldest = none
  private(set) var newest = none
  /// Serial numbers that have a state.
  private(set) var count = 0

  deinit {
    var place = oldest
    while place != Self.none {
      freeReadings(place)
      place = states[Int(place)].newer
    }
    freeForLookUps(states, capacity: capacity)
  }

  /// The state at a place. The pointer is good until the next `activate`.
  func state(_ place: UInt32) -> UnsafeMutablePointer<SerialState> { states + Int(place) }

  /// The state of a serial number, or nil where it has none.
  func find(_ serial: UInt32) -> UnsafeMutablePointer<SerialState>? {
    guard Int(serial) < placeOfSerial.count, placeOfSerial[Int(serial)] != Self.none else { return nil }
    return state(placeOfSerial[Int(serial)])
  }

  /// The state of a serial number, made if there is none, as the most recently active.
  mutating func activate(_ serial: UInt32, arrivalMs: Int64) -> UnsafeMutablePointer<SerialState> {
    while Int(serial) >= placeOfSerial.count {
      placeOfSerial.append(contentsOf: repeatElement(Self.none, count: max(64, placeOfSerial.count)))
    }
    assert(newest == Self.none || arrivalMs >= states[Int(newest)].lastArrivalMs, "arrival times never fall")
    var place = placeOfSerial[Int(serial)]
    if place == Self.none {
      place = takePlace()
      placeOfSerial[Int(serial)] = place
      (states + Int(place)).initialize(to: SerialState())
      states[Int(place)].serial = serial
      count += 1
    } else if place != newest {
      unlink(place)
    }
    if place != newest { linkNewest(place) }
    states[Int(place)].lastArrivalMs = arrivalMs
    return states + Int(place)
  }

  private mutating func takePlace() -> UInt32 {
    if let place = freeStates.popLast() { return place }
    if used == capacity {
      let larger = allocateForLookUps(SerialState.self, capacity: capacity * 2)
      larger.moveInitialize(from: states, count: used)
      freeForLookUps(states, capacity: capacity)
      states = larger
      capacity *= 2
    }
    used += 1
    return UInt32(used - 1)
  }

  /// Forgets the serial number that was inactive longest, with all its readings.
  mutating func removeOldest() {
    precondition(oldest != Self.none, "there is no state to remove")
    remove(oldest)
  }

  /// Forgets the serial numbers that have no readings.
  mutating func removeEmpty() {
    var place = oldest
    while place != Self.none {
      let newer = states[Int(place)].newer
      if states[Int(place)].isEmpty { remove(place) }
      place = newer
    }
  }

  /// Forgets a serial number if it has no readings.
  mutating func removeIfEmpty(_ serial: UInt32) {
    guard let state = find(serial), state.pointee.isEmpty else { return }
    remove(placeOfSerial[Int(serial)])
  }

  private mutating func remove(_ place: UInt32) {
    freeReadings(place)
    unlink(place)
    placeOfSerial[Int(states[Int(place)].serial)] = Self.none
    freeStates.append(place)
    count -= 1
  }

  private func freeReadings(_ place: UInt32) {
    states[Int(place)].accelerometer.free()
    states[Int(place)].stepTrainer.free()
    states[Int(place)].held.free()
  }

  private mutating func unlink(_ place: UInt32) {
    let (older, newer) = (states[Int(place)].older, states[Int(place)].newer)
    if older == Self.none { oldest = newer } else { states[Int(older)].newer = newer }
    if newer == Self.none { newest = older } else { states[Int(newer)].older = older }
  }

  private mutating func linkNewest(_ place: UInt32) {
    states[Int(place)].older = newest
    states[Int(place)].newer = Self.none
    if newest == Self.none { oldest = place } else { states[Int(newest)].newer = place }
    newest = place
  }

  /// Calls `body` with every state, longest inactive first.
  func forEach(_ body: (UnsafeMutablePointer<SerialState>) -> Void) {
    var place = oldest
    while place != Self.none {
      body(states + Int(place))
      place = states[Int(place)].newer
    }
  }
}
