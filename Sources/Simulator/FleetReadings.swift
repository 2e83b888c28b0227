// The readings themselves: their times, their values, and the ones that are meant to be refused.

struct MadeReading {
  var timeMs: Int
  var bytes: [UInt8]
}

extension FleetIterator {
  /// The time that the fleet has got to, give or take two seconds.
  mutating func aboutNow() -> Int {
    fleet.window.time(emitted, of: fleet.readings) + random.below(4_001) - 2_000
  }

  /// The time's low 8 bits count the customer's readings, so that no two of one instant are alike.
  mutating func accelerometer(of customer: FleetCustomer, aroundMs: Int) -> MadeReading {
    let timeMs = (aroundMs & ~255) | (accelerometerCounts[customer.index] & 255)
    accelerometerCounts[customer.index] += 1
    if customer.serialOwner == 0 { latestMs.accelerometer = max(latestMs.accelerometer, timeMs) }
    return MadeReading(timeMs: timeMs, bytes: accelerometerRecord(user: customer.email, timeMs: timeMs))
  }

  /// Within 100 ms of an accelerometer reading made around the same time, or some 200 ms apart. The distance
  /// counts the serial number's readings.
  mutating func stepTrainer(of customer: FleetCustomer, aroundMs: Int) -> MadeReading {
    let lastAccelerometer = max(0, accelerometerCounts[customer.index] - 1)
    // Someone who consented midway must not have its step trainer reading covered before the accelerometer's.
    let offsetMs = customer.role == .consentedMidway || random.below(2) == 0 ? 0 : random.below(80)
    let timeMs = ((aroundMs & ~255) | (lastAccelerometer & 255)) + offsetMs
    let distance = 100 + stepTrainerCounts[customer.serialOwner] % 251
    stepTrainerCounts[customer.serialOwner] += 1
    if customer.serialOwner == 0 { latestMs.stepTrainer = max(latestMs.stepTrainer, timeMs) }
    let bytes = stepTrainerRecord(serialNumber: customer.serialNumber, timeMs: timeMs, distance: distance)
    return MadeReading(timeMs: timeMs, bytes: bytes)
  }

  mutating func accelerometerRecord(user: String, timeMs: Int) -> [UInt8] {
    // A third sends whole numbers, as the devices of the original data do, and keys in lower case, as tables
    // have them that went through a catalogue without case.
    let isCoarse = random.below(3) == 0
    var object = JSONObject()
    object.add("user", user, escaped: random.below(4) == 0)
    object.add(isCoarse ? "timestamp" : "timeStamp", timeMs)
    for axis in ["x", "y", "z"] {
      object.add(axis, isCoarse ? Double(random.below(3) - 1) : random.acceleration())
    }
    return object.bytes
  }

  mutating func stepTrainerRecord(serialNumber: String, timeMs: Int, distance: Int) -> [UInt8] {
    let isLowerCase = random.below(3) == 0
    var object = JSONObject()
    object.add(isLowerCase ? "sensorreadingtime" : "sensorReadingTime", timeMs)
    object.add(isLowerCase ? "serialnumber" : "serialNumber", serialNumber)
    object.add(isLowerCase ? "distancefromobject" : "distanceFromObject", distance)
    return object.bytes
  }
}

// MARK: What the plan asks for

extension FleetIterator {
  mutating func play(_ event: Planned.Event) {
    switch event {
    case .readings(let index): sendReadings(of: fleet.customer(index), atMost: 2)
    case .reading(let index): sendWaiting(fleet.customer(index))
    case .withdrawal(let index): withdraw(fleet.customer(index))
    case .malformed: sendMalformed()
    case .spoiledArray: sendSpoiledArray()
    case .oversized: sendOversized()
    case .identityMismatch: sendUnderWrongIdentity()
    case .duplicate: sendTwice()
    case .future: sendFromFuture()
    case .late: sendLate()
    case .unknownCustomer: sendFromStranger()
    case .unknownDevice: sendFromStrangeDevice()
    }
  }

  /// An active customer with an accelerometer reading out: curated, so its step trainer readings are trusted.
  private mutating func curatedCustomer() -> FleetCustomer {
    let index = random.below(fleet.customers)
    let isCurated = CustomerRole(index: index) == .active && accelerometerCounts[index] > 0
    return fleet.customer(isCurated ? index : 0)
  }

  private func topic(_ kind: RecordKind, _ customer: FleetCustomer) -> String {
    kind == .accelerometer
      ? "stedi/accelerometer/\(customer.email)" : "stedi/step_trainer/\(customer.serialNumber)"
  }

  private mutating func reading(_ kind: RecordKind, of customer: FleetCustomer) -> MadeReading {
    let timeMs = aboutNow()
    return kind == .accelerometer
      ? accelerometer(of: customer, aroundMs: timeMs) : stepTrainer(of: customer, aroundMs: timeMs)
  }

  private mutating func someKind() -> RecordKind { random.below(2) == 0 ? .accelerometer : .stepTrainer }

  /// No accelerometer reading ever comes. The last of these evicts the others (`join.retention`, 15 min), and
  /// still waits itself when the run ends.
  private mutating func sendWaiting(_ customer: FleetCustomer) {
    let isLast = stepTrainerCounts[customer.index] > 0
    let reading = stepTrainer(of: customer, aroundMs: aboutNow())
    let expected = ExpectedRecord(.stepTrainer, isLast ? .held : .noAccelerometer)
    send(topic(.stepTrainer, customer), reading.bytes, [expected])
  }

  private mutating func sendTwice() {
    let customer = curatedCustomer()
    let kind = someKind()
    let reading = reading(kind, of: customer)
    send(topic(kind, customer), reading.bytes, [ExpectedRecord(kind, .trusted)])
    send(topic(kind, customer), reading.bytes, [ExpectedRecord(kind, .duplicate)])
  }

  /// Under the default filters, which look at no level, it is a reading like any other.
  private mutating func sendUnderWrongIdentity() {
    let customer = curatedCustomer()
    let kind = someKind()
    let reading = reading(kind, of: customer)
    let wrong = kind == .accelerometer ? "nobody@test.com" : FleetCustomer.uuid(&random)
    let prefix = kind == .accelerometer ? "stedi/accelerometer/" : "stedi/step_trainer/"
    let expected = ExpectedRecord(kind, .trusted, withIdentityLevels: .identityMismatch)
    send(prefix + wrong, reading.bytes, [expected])
  }

  /// A day ahead: past `limits.future_skew` (5 min) even at the end of a slow run.
  private mutating func sendFromFuture() {
    let customer = curatedCustomer()
    let kind = someKind()
    let timeMs = aboutNow() + 24 * 3_600_000
    let bytes =
      kind == .accelerometer
      ? accelerometerRecord(user: customer.email, timeMs: timeMs)
      : stepTrainerRecord(serialNumber: customer.serialNumber, timeMs: timeMs, distance: 100)
    send(topic(kind, customer), bytes, [ExpectedRecord(kind, .future)])
  }

  /// Behind the watermark by more than `join.allowed_lateness` (10 min), and trusted nevertheless.
  private mutating func sendLate() {
    let customer = fleet.customer(0)
    let watermarkMs = min(latestMs.accelerometer, latestMs.stepTrainer)
    let isLate = watermarkMs != Int.min
    let timeMs = (isLate ? watermarkMs : aboutNow()) - 601_000 - random.below(60_000)
    let kind = someKind()
    let reading =
      kind == .accelerometer
      ? accelerometer(of: customer, aroundMs: timeMs) : stepTrainer(of: customer, aroundMs: timeMs)
    send(topic(kind, customer), reading.bytes, [ExpectedRecord(kind, .trusted, isLate: isLate)])
  }

  private mutating func sendFromStranger() {
    let email = "stranger\(emitted)@nowhere.example"
    let bytes = accelerometerRecord(user: email, timeMs: aboutNow())
    send("stedi/accelerometer/\(email)", bytes, [ExpectedRecord(.accelerometer, .unknownCustomer)])
  }

  private mutating func sendFromStrangeDevice() {
    let serialNumber = FleetCustomer.uuid(&random)
    let bytes = stepTrainerRecord(serialNumber: serialNumber, timeMs: aboutNow(), distance: 200)
    send("stedi/step_trainer/\(serialNumber)", bytes, [ExpectedRecord(.stepTrainer, .unknownDevice)])
  }

  /// A good reading, and white space that takes the message above `limits.max_message_bytes` (1 MiB).
  private mutating func sendOversized() {
    let customer = fleet.customer(0)
    let padding = [UInt8](repeating: UInt8(ascii: " "), count: 1 << 20)
    let payload = accelerometerRecord(user: customer.email, timeMs: aboutNow()) + padding
    send(topic(.accelerometer, customer), payload, [ExpectedRecord(.accelerometer, .oversized)])
  }

  private mutating func sendMalformed() {
    let customer = fleet.customer(0)
    let timeMs = aboutNow()
    let kind = someKind()
    let user = customer.email
    let device = customer.serialNumber
    let texts =
      kind == .accelerometer
      ? [
        "{\"user\":\"\(user)\",\"timestamp\":\(timeMs),\"x\":1.0,\"y\":-1.",
        "{\"user\":\"\(user)\",\"x\":1.0,\"y\":0.0,\"z\":-1.0}",
        "{\"user\":\"\(user)\",\"timestamp\":\(timeMs),\"x\":\"1.0\",\"y\":0.0,\"z\":-1.0}",
        "{\"user\":\"\(user)\",\"timestamp\":\"yesterday\",\"x\":1.0,\"y\":0.0,\"z\":-1.0}",
        "x=1.0 y=0.0 z=-1.0",
      ]
      : [
        "{\"sensorReadingTime\":\(timeMs),\"serialNumber\":\"",
        "{\"sensorReadingTime\":\(timeMs),\"distanceFromObject\":218}",
        "{\"sensorReadingTime\":\(timeMs),\"serialNumber\":\"\(device)\",\"distanceFromObject\":218.5}",
        "{\"sensorReadingTime\":null,\"serialNumber\":\"\(device)\",\"distanceFromObject\":218}",
        "\"\u{1}\"",
      ]
    var payload = Array(texts[random.below(texts.count)].utf8)
    // A byte that UTF-8 never has.
    if random.below(4) == 0 { payload.insert(0xFF, at: 2) }
    send(topic(kind, customer), payload, [ExpectedRecord(kind, .malformed)])
  }

  /// A bad record in an array rejects itself alone.
  private mutating func sendSpoiledArray() {
    let customer = curatedCustomer()
    let good = reading(.accelerometer, of: customer)
    var bad = JSONObject()
    bad.add("user", customer.email)
    bad.add("timestamp", good.timeMs)
    send(
      topic(.accelerometer, customer), Packing.array.pack([good.bytes, bad.bytes]),
      [ExpectedRecord(.accelerometer, .trusted), ExpectedRecord(.accelerometer, .malformed)])
  }
}
