// The join as bytes:
//
//     join     sums: late, evicted by age, idle, for memory, expired (held, evicted, and not taken yet);
//              then count and the serial numbers' states, longest inactive first
//     state    serial number UInt32, last arrival Int64, latest event times of accelerometer and step trainer
//              Int64 each; then the lists of the accelerometer, step trainer and held readings
//
// How readings lie in memory is no part of it, nor are the settings; the totals follow from the lists.

import Records

extension IntervalJoin {
  private static let stateBytes = 4 + 3 * 8 + 3 * 8

  /// Step trainer readings without a verdict: those that are held, and those that `takeExpired` will tell of.
  public var unsettledCount: Int { heldCount + expired }

  /// Appends the state, when all partners of the last reading have been asked for.
  public func encode(into encoder: inout StateEncoder) {
    for sum in [counts.late, counts.evictedByAge, counts.evictedIdle, counts.evictedForMemory, expired] {
      encoder.append(sum: sum)
    }
    encoder.append(count: states.count)
    states.forEach { state in
      encoder.append(state.pointee.serial)
      encoder.append(state.pointee.lastArrivalMs)
      encoder.append(state.pointee.latestAccelerometer.ms)
      encoder.append(state.pointee.latestStepTrainer.ms)
      state.pointee.accelerometer.encode(into: &encoder) { $0.encode(self.texts, into: &$1) }
      state.pointee.stepTrainer.encode(into: &encoder) { $0.encode(into: &$1) }
      state.pointee.held.encode(into: &encoder) { $0.encode(into: &$1) }
    }
  }

  /// Reads back what `encode` appended. From then on the join does what the encoded one would.
  /// - Parameters:
  ///   - settings: those that the encoded join had.
  ///   - customerCount: the customers are numbered below it.
  ///   - serialCount: the serial numbers are numbered below it.
  ///   - clockMs: the latest arrival time so far; no later call comes with an earlier one.
  public convenience init(
    settings: JoinSettings, decoding decoder: inout StateDecoder, customerCount: Int, serialCount: Int,
    clockMs: Int64
  ) throws(StateError) {
    self.init(settings: settings)
    counts.late = try decoder.readSum()
    counts.evictedByAge = try decoder.readSum()
    counts.evictedIdle = try decoder.readSum()
    counts.evictedForMemory = try decoder.readSum()
    expired = try decoder.readSum()
    var previousMs = Int64.min
    for _ in 0..<(try decoder.readCount(elementBytes: Self.stateBytes)) {
      let serial = try decoder.readID(in: 0..<serialCount)
      guard states.find(serial) == nil else { throw decoder.error("a serial number for the second time") }
      let arrivalMs = try decoder.read(Int64.self)
      guard arrivalMs >= previousMs, arrivalMs <= clockMs else {
        throw decoder.error("serial numbers not in the order of their last activity")
      }
      previousMs = arrivalMs
      let state = states.activate(serial, arrivalMs: arrivalMs)
      state.pointee.latestAccelerometer = EventTime(ms: try decoder.read(Int64.self))
      state.pointee.latestStepTrainer = EventTime(ms: try decoder.read(Int64.self))
      try decodeReadings(of: state, &decoder, customerCount: customerCount, serialCount: serialCount)
    }
  }

  private func decodeReadings(
    of state: UnsafeMutablePointer<SerialState>, _ decoder: inout StateDecoder, customerCount: Int,
    serialCount: Int
  ) throws(StateError) {
    let serial = Int(state.pointee.serial)
    // By time alone all readings but the held ones lie under one key, whatever their serial number.
    let meetHere = key(SerialID(state.pointee.serial)) == state.pointee.serial
    let customers = 0..<(meetHere ? customerCount : 0)
    let serials = settings.pairing == .owner ? serial..<serial + 1 : 0..<(meetHere ? serialCount : 0)
    let (latestAccelerometer, latestStepTrainer) = (
      state.pointee.latestAccelerometer, state.pointee.latestStepTrainer
    )
    try state.pointee.accelerometer.decode(
      &decoder, elementBytes: AccelerometerReading.fewestStateBytes, through: latestAccelerometer
    ) { decoder throws(StateError) in
      try AccelerometerReading(decoding: &decoder, customers: customers, &self.texts)
    }
    try state.pointee.stepTrainer.decode(
      &decoder, elementBytes: StepTrainerReading.stateBytes, through: latestStepTrainer
    ) { decoder throws(StateError) in try StepTrainerReading(decoding: &decoder, serials: serials) }
    try state.pointee.held.decode(
      &decoder, elementBytes: StepTrainerReading.stateBytes, through: latestStepTrainer
    ) { decoder throws(StateError) in
      try StepTrainerReading(decoding: &decoder, serials: serial..<serial + 1)
    }
    accelerometerCount += state.pointee.accelerometer.count
    stepTrainerCount += state.pointee.stepTrainer.count
    heldCount += state.pointee.held.count
  }
}
