// What a change of consent or of a claim does to the readings that wait for partners.
//
// Invariants:
// - After a withdrawal nothing of the customer is in the state, and no step trainer reading that only
//   this customer's consent covered.
// - Moving to another serial number takes the waiting readings along; it makes no pairs.

import Records

/// What became of a held reading.
public struct SettledHeld {
  public let reading: StepTrainerReading
  /// `trusted`, `noConsent` or `beforeConsent`.
  public let verdict: Verdict
}

extension IntervalJoin {
  /// Drops all readings of a customer that withdrew.
  public func removeReadings(of customer: CustomerID, serial: SerialID) {
    guard let state = states.find(key(serial)) else { return }
    state.pointee.accelerometer.removeAll(where: { $0.customerRaw == customer.raw }, forgetAccelerometer)
  }

  /// Takes a customer's readings along to the serial number that it claims now.
  public func moveReadings(of customer: CustomerID, from old: SerialID, to new: SerialID, arrivalMs: Int64) {
    guard key(old) != key(new), let state = states.find(key(old)) else { return }
    var moving: [AccelerometerReading] = []
    state.pointee.accelerometer.removeAll(where: { $0.customerRaw == customer.raw }) { moving.append($0) }
    guard let latest = moving.map(\.timeMs).max() else { return }
    let target = states.activate(key(new), arrivalMs: arrivalMs)
    for reading in moving { target.pointee.accelerometer.insert(reading) }
    target.pointee.latestAccelerometer = max(target.pointee.latestAccelerometer, EventTime(ms: latest))
  }

  /// Forgets when a serial number without readings was last active, and how late its readings were: its number is
  /// going to stand for something else.
  public func forget(_ serial: SerialID) {
    // The state that all serial numbers share is nobody's to forget.
    if settings.pairing == .timestamp && serial.raw == key(serial) { return }
    states.removeIfEmpty(serial.raw)
  }

  /// Brings the step trainer readings of a serial number in line with who covers them now: drops
  /// those that nobody covers any more, and returns the held ones that have their verdict.
  public func reconcile(_ serial: SerialID, with coverage: Coverage) -> [SettledHeld] {
    dropUncovered(serial, coverage)
    guard let state = states.find(serial.raw), state.pointee.held.count > 0 else { return [] }
    var settled: [SettledHeld] = []
    func settle(_ reading: StepTrainerReading) {
      settled.append(
        SettledHeld(reading: reading, verdict: coverage.verdict(at: EventTime(ms: reading.timeMs))))
    }
    state.pointee.held.removeFirst(before: coverage.consentedFrom.ms, settle)
    if let last = state.pointee.held.last,
      coverage.verdict(at: EventTime(ms: last.timeMs)) != .held
    {
      state.pointee.held.removeAll(where: { coverage.verdict(at: EventTime(ms: $0.timeMs)) != .held }, settle)
    }
    heldCount -= settled.count
    return settled
  }

  private func dropUncovered(_ serial: SerialID, _ coverage: Coverage) {
    guard let state = states.find(key(serial)) else { return }
    if settings.pairing == .owner && coverage.curatedFrom != .distantFuture {
      removeStepTrainer(state, before: coverage.curatedFrom.ms)
    } else {
      // A time may be `.max` too, so "before" would miss it where nothing is covered.
      let isUncovered = { (reading: StepTrainerReading) in
        reading.serialRaw == serial.raw && coverage.verdict(at: EventTime(ms: reading.timeMs)) != .trusted
      }
      state.pointee.stepTrainer.removeAll(where: isUncovered) { _ in self.stepTrainerCount -= 1 }
    }
  }

  /// Changes the pairing: all readings that wait move to the keys they meet under from now on, which makes no
  /// pairs.
  /// - Parameter claim: the serial number that a customer claims.
  public func setPairing(_ pairing: Pairing, arrivalMs: Int64, claim: (CustomerID) -> SerialID) {
    guard pairing != settings.pairing else { return }
    var accelerometer: [AccelerometerReading] = []
    var stepTrainer: [StepTrainerReading] = []
    states.forEach { state in
      state.pointee.accelerometer.removeAll(where: { _ in true }) { accelerometer.append($0) }
      state.pointee.stepTrainer.removeAll(where: { _ in true }) { stepTrainer.append($0) }
    }
    settings.pairing = pairing
    for reading in accelerometer {
      let state = states.activate(key(claim(reading.customer)), arrivalMs: arrivalMs)
      state.pointee.accelerometer.insert(reading)
      state.pointee.latestAccelerometer = max(
        state.pointee.latestAccelerometer, EventTime(ms: reading.timeMs))
    }
    for reading in stepTrainer {
      let state = states.activate(key(reading.serial), arrivalMs: arrivalMs)
      state.pointee.stepTrainer.insert(reading)
      state.pointee.latestStepTrainer = max(state.pointee.latestStepTrainer, EventTime(ms: reading.timeMs))
    }
  }
}
