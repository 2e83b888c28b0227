// What leaves the join's state by age, by inactivity, and to stay within the memory bound.
//
// Invariant: what is evicted depends on the readings and their arrival times alone, not on how they
// were batched nor on how memory happens to lie, so that a journal's replay evicts the same.

import Records

extension IntervalJoin {
  /// Evicts what has become too old with the reading that was just added for a serial number.
  public func settle(after serial: SerialID) {
    guard settings.evicts else { return }
    evictByAge(key(serial))
    if key(serial) != serial.raw { evictByAge(serial.raw) }
    if memoryBytes > settings.maxMemoryBytes { evictOldest() }
  }

  // A reading at time t can still be matched by one that is at most the allowed lateness behind the
  // watermark as long as t + tolerance ≥ watermark − lateness; without a watermark (the other input
  // is silent) the retention of its own input bounds it.
  private func evictByAge(_ key: UInt32) {
    guard let state = states.find(key) else { return }
    let matchable = state.pointee.watermark
      .advanced(byMs: -settings.allowedLatenessMs).advanced(byMs: -settings.toleranceMs)
    let keptAccelerometer = state.pointee.latestAccelerometer.advanced(byMs: -settings.retentionMs)
    let keptStepTrainer = state.pointee.latestStepTrainer.advanced(byMs: -settings.retentionMs)
    let before = readingCount
    removeAccelerometer(state, before: max(matchable, keptAccelerometer).ms)
    removeStepTrainer(state, before: max(matchable, keptStepTrainer).ms)
    removeHeld(state, before: keptStepTrainer.ms)
    counts.evictedByAge += before - readingCount
  }

  /// Evicts the serial numbers without readings for longer than the idle time.
  /// - Parameter nowMs: the arrival time of the message that is about to be handled.
  public func evictIdle(nowMs: Int64) {
    guard settings.evicts else { return }
    while states.oldest != SerialStates.none {
      let state = states.state(states.oldest)
      guard EventTime(ms: state.pointee.lastArrivalMs).advanced(byMs: settings.idleMs).ms < nowMs else {
        return
      }
      let before = readingCount
      removeEverything(state)
      counts.evictedIdle += before - readingCount
      states.removeOldest()
    }
  }

  private func removeEverything(_ state: UnsafeMutablePointer<SerialState>) {
    state.pointee.accelerometer.removeAll(where: { _ in true }, forgetAccelerometer)
    state.pointee.stepTrainer.removeAll(where: { _ in true }) { _ in self.stepTrainerCount -= 1 }
    state.pointee.held.removeAll(where: { _ in true }, expire)
  }

  func removeAccelerometer(_ state: UnsafeMutablePointer<SerialState>, before timeMs: Int64) {
    state.pointee.accelerometer.removeFirst(before: timeMs, forgetAccelerometer)
  }

  func removeStepTrainer(_ state: UnsafeMutablePointer<SerialState>, before timeMs: Int64) {
    state.pointee.stepTrainer.removeFirst(before: timeMs) { _ in self.stepTrainerCount -= 1 }
  }

  private func removeHeld(_ state: UnsafeMutablePointer<SerialState>, before timeMs: Int64) {
    state.pointee.held.removeFirst(before: timeMs, expire)
  }

  func forgetAccelerometer(_ reading: AccelerometerReading) {
    accelerometerCount -= 1
    if reading.isLong { texts.remove(reading.handle) }
  }

  private func expire(_ reading: StepTrainerReading) {
    heldCount -= 1
    expired += 1
  }

  /// How many held readings were evicted since the last call; each is `no_accelerometer`.
  public func takeExpired() -> Int {
    defer { expired = 0 }
    return expired
  }

  /// The end of a replay: whatever is still held gets no partner.
  public func endHeld() -> Int {
    states.forEach { $0.pointee.held.removeAll(where: { _ in true }, self.expire) }
    return takeExpired()
  }

  // MARK: The memory bound

  /// Evicts the oldest readings by event time, an eighth of them, so that the work of finding them
  /// is spread over many insertions. The serial numbers that are left without readings go too: many
  /// enough of them would fill the memory by themselves.
  private func evictOldest() {
    defer { states.removeEmpty() }
    if readingCount == 0 { return }
    let target = max(1, readingCount / 8)
    let cutoff = timeOfRank(target)
    let before = readingCount
    states.forEach { state in
      self.removeAccelerometer(state, before: cutoff)
      self.removeStepTrainer(state, before: cutoff)
      self.removeHeld(state, before: cutoff)
    }
    counts.evictedForMemory += before - readingCount
  }

  /// A time with at least `rank` readings before it, and as few more as equal times allow:
  /// a radix selection over the times, 16 bits a pass.
  private func timeOfRank(_ rank: Int) -> Int64 {
    var prefix: UInt64 = 0
    var remaining = rank
    for shift in stride(from: 48, through: 0, by: -16) {
      var histogram = [Int](repeating: 0, count: 1 << 16)
      forEachTime { timeMs in
        // Flipping the sign bit makes the order of the unsigned numbers that of the times.
        let value = UInt64(bitPattern: timeMs) ^ 1 << 63
        if shift == 48 || value >> UInt64(shift + 16) == prefix {
          histogram[Int(value >> UInt64(shift) & 0xFFFF)] += 1
        }
      }
      var digit = 0
      while remaining > histogram[digit] {
        remaining -= histogram[digit]
        digit += 1
      }
      prefix = prefix << 16 | UInt64(digit)
    }
    return EventTime(ms: Int64(bitPattern: prefix ^ 1 << 63)).advanced(byMs: 1).ms
  }

  private func forEachTime(_ body: (Int64) -> Void) {
    states.forEach { state in
      self.forEach(state.pointee.accelerometer) { body($0.timeMs) }
      self.forEach(state.pointee.stepTrainer) { body($0.timeMs) }
      self.forEach(state.pointee.held) { body($0.timeMs) }
    }
  }

  private func forEach<Element: Reading>(_ list: ReadingList<Element>, _ body: (Element) -> Void) {
    var cursor = list.cursor(at: .min)
    while let reading = list.next(&cursor) { body(reading) }
  }
}
