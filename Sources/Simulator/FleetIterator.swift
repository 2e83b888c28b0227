// Plays a fleet: the customers, then the plan's events at their places and ordinary readings in between.
//
// Invariant: `reserved` is what the plan's remaining events cost, and `emitted + reserved <= readings`, so
// that every event finds its place whatever chance does before.

/// The messages of a fleet, one after the other.
public struct FleetIterator: IteratorProtocol {
  let fleet: Fleet
  var random: SeededRandom
  /// Messages made and not yet handed out, the next one last.
  var pending: [OutgoingMessage] = []
  private var nextCustomer = 0
  private var nextPlanned = 0
  private var reserved: Int
  var emitted = 0
  /// Per customer, how many accelerometer readings are out: a customer without one is not curated yet.
  var accelerometerCounts: [Int]
  /// Per first claimant of a serial number, how many step trainer readings are out.
  var stepTrainerCounts: [Int]
  var withdrawn: Set<Int> = []
  /// The latest event time of either side for the serial number of customer 0, whose watermark is the
  /// smaller.
  var latestMs = (accelerometer: Int.min, stepTrainer: Int.min)

  init(_ fleet: Fleet) {
    self.fleet = fleet
    random = SeededRandom(seed: fleet.seed)
    reserved = fleet.plan.reduce(0) { $0 + $1.cost }
    accelerometerCounts = Array(repeating: 0, count: fleet.customers)
    stepTrainerCounts = Array(repeating: 0, count: fleet.customers)
  }

  /// The next message, nil after the last.
  public mutating func next() -> OutgoingMessage? {
    while pending.isEmpty {
      if nextCustomer < fleet.customers {
        introduce(fleet.customer(nextCustomer))
        nextCustomer += 1
      } else if nextPlanned < fleet.plan.count, isDue(fleet.plan[nextPlanned]) {
        reserved -= fleet.plan[nextPlanned].cost
        play(fleet.plan[nextPlanned].event)
        nextPlanned += 1
      } else if emitted < fleet.readings {
        sendSomeReadings(atMost: fleet.readings - emitted - reserved)
      } else {
        return nil
      }
    }
    return pending.removeLast()
  }

  private func isDue(_ planned: Planned) -> Bool {
    emitted >= planned.position || emitted + reserved == fleet.readings
  }

  mutating func send(_ topic: String, _ payload: [UInt8], _ records: [ExpectedRecord]) {
    emitted += records.count { $0.kind != .customer }
    pending.insert(OutgoingMessage(topic: topic, payload: payload, records: records), at: 0)
  }

  // MARK: Customers

  /// Some customers come with a history: an older record after the newer one, or two versions in one message.
  private mutating func introduce(_ customer: FleetCustomer) {
    let topic = "stedi/customer/\(customer.email)"
    let updateMs = customer.registrationMs
    let current = customer.record(lastUpdateMs: updateMs, consentMs: customer.consentMs)
    let verdict: ExpectedVerdict = customer.consentMs == nil ? .notConsenting : .consenting
    switch customer.index % 8 {
    case 0:
      send(topic, current, [ExpectedRecord(.customer, verdict)])
      let older = customer.record(lastUpdateMs: updateMs - 1, consentMs: nil)
      send(topic, older, [ExpectedRecord(.customer, .stale)])
    case 1:
      let first = customer.record(lastUpdateMs: updateMs - 1, consentMs: nil, phone: "")
      send(
        topic, Packing.newlineDelimited.pack([first, current]),
        [ExpectedRecord(.customer, .notConsenting), ExpectedRecord(.customer, verdict)])
    default:
      send(topic, current, [ExpectedRecord(.customer, verdict)])
    }
  }

  mutating func withdraw(_ customer: FleetCustomer) {
    withdrawn.insert(customer.index)
    let record = customer.record(lastUpdateMs: fleet.window.time(emitted, of: fleet.readings), consentMs: nil)
    send("stedi/customer/\(customer.email)", record, [ExpectedRecord(.customer, .notConsenting)])
  }

  // MARK: Ordinary readings

  private mutating func sendSomeReadings(atMost budget: Int) {
    var index = random.below(fleet.customers)
    if CustomerRole(index: index) == .silent { index -= 6 }
    sendReadings(of: fleet.customer(index), atMost: budget)
  }

  /// One to three accelerometer readings and one or two step trainer readings of about the same time, in
  /// random order but for the first: a step trainer reading must not wait long for an accelerometer's.
  mutating func sendReadings(of customer: FleetCustomer, atMost budget: Int) {
    let isFirst = accelerometerCounts[customer.index] == 0
    let accelerometers = max(1, min(budget - 1, random.below(10) < 7 ? 1 : 2 + random.below(2)))
    let stepTrainers = min(budget - accelerometers, random.below(10) < 8 ? 1 : 2)
    let timeMs = aboutNow()
    let stepTrainerFirst = !isFirst && random.below(3) == 0
    if stepTrainerFirst { sendStepTrainer(of: customer, count: stepTrainers, aroundMs: timeMs) }
    sendAccelerometer(of: customer, count: accelerometers, aroundMs: timeMs)
    if !stepTrainerFirst { sendStepTrainer(of: customer, count: stepTrainers, aroundMs: timeMs) }
  }

  private mutating func sendAccelerometer(of customer: FleetCustomer, count: Int, aroundMs: Int) {
    var records: [[UInt8]] = []
    var expected: [ExpectedRecord] = []
    for position in 0..<count {
      let reading = accelerometer(of: customer, aroundMs: aroundMs + position * 256)
      records.append(reading.bytes)
      expected.append(ExpectedRecord(.accelerometer, verdict(of: customer, atMs: reading.timeMs)))
    }
    guard !records.isEmpty else { return }
    send("stedi/accelerometer/\(customer.email)", pack(records), expected)
  }

  private mutating func sendStepTrainer(of customer: FleetCustomer, count: Int, aroundMs: Int) {
    var records: [[UInt8]] = []
    var expected: [ExpectedRecord] = []
    for position in 0..<count {
      let reading = stepTrainer(of: customer, aroundMs: aroundMs + position * 256)
      records.append(reading.bytes)
      expected.append(ExpectedRecord(.stepTrainer, verdict(of: customer, atMs: reading.timeMs)))
    }
    guard !records.isEmpty else { return }
    send("stedi/step_trainer/\(customer.serialNumber)", pack(records), expected)
  }

  /// Of a customer who is, or is about to be, curated.
  private func verdict(of customer: FleetCustomer, atMs timeMs: Int) -> ExpectedVerdict {
    guard let consentMs = customer.consentMs, !withdrawn.contains(customer.index) else { return .noConsent }
    return timeMs < consentMs ? .beforeConsent : .trusted
  }

  private mutating func pack(_ records: [[UInt8]]) -> [UInt8] {
    if records.count == 1, random.below(20) > 0 { return records[0] }
    return (random.below(2) == 0 ? Packing.array : .newlineDelimited).pack(records)
  }
}
