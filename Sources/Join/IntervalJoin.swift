// The interval join: |timestamp − sensorReadingTime| ≤ tolerance, inner, every pair exactly once.
//
// Invariants:
// - A pair is emitted when the later of its two readings is added, and at no other time: nothing
//   that happens to consent or claims afterwards makes or repeats a pair.
// - A pair is emitted only if its customer's consent covers both readings at that moment and that
//   customer claims the step trainer's serial number (`Pairing.owner`).
// - A serial number's readings depend on its own input and on arrival time alone, so that one device
//   with a wrong clock disturbs no other.
// - No I/O, no clock, no randomness, no log; the same calls give the same pairs in the same order.
// - Nothing is allocated for a reading in steady state.

import Records

/// What adding a reading led to.
public struct Added {
  public let isDuplicate: Bool
  /// The partners, to be asked for with `next` before anything else is done to the join.
  public var matches: Matches
}

/// The partners of a reading that was just added.
public struct Matches {
  enum Source {
    case nothing
    case accelerometer(StepTrainerReading)
    case stepTrainer(AccelerometerReading)
  }
  var source = Source.nothing
  var chunk = 0
  var index = 0
  var throughMs: Int64 = .min
  var key: UInt32 = 0

  static var none: Matches { Matches() }
}

/// Sums that only grow.
public struct JoinCounts: Equatable, Sendable {
  /// Readings that came later than the allowed lateness: partners may have been evicted before.
  public var late = 0
  /// Readings that were evicted by age, by inactivity, and to stay within the memory bound.
  public var evictedByAge = 0
  public var evictedIdle = 0
  public var evictedForMemory = 0

  public init() {}
}

/// Pairs step trainer and accelerometer readings by serial number and time.
public final class IntervalJoin {
  // What a reading is charged in the memory bound: its width and the usual slack of its chunk.
  static let accelerometerCost = 48
  static let stepTrainerCost = 32
  static let stateCost = 256

  /// May change between two readings (a reload of the settings).
  public var settings: JoinSettings
  var states = SerialStates()
  var texts = TextSlab()
  var accelerometerCount = 0
  var stepTrainerCount = 0
  /// Step trainer readings that wait for a claimant to be curated.
  public internal(set) var heldCount = 0
  /// Held readings that were evicted and now need their verdict; taken by `takeExpired`.
  var expired = 0
  public internal(set) var counts = JoinCounts()
  private let pairBuffer = UnsafeMutableBufferPointer<Pair>.allocate(capacity: 256)

  public init(settings: JoinSettings) {
    self.settings = settings
  }

  deinit { pairBuffer.deallocate() }

  /// Readings in the state, held ones among them.
  public var readingCount: Int { accelerometerCount + stepTrainerCount + heldCount }

  /// What the state is charged with, in bytes.
  public var memoryBytes: Int {
    accelerometerCount * Self.accelerometerCost + (stepTrainerCount + heldCount) * Self.stepTrainerCost
      + states.count * Self.stateCost + texts.occupiedCells * TextSlab.cellBytes
  }

  /// The key that readings of a serial number meet under.
  func key(_ serial: SerialID) -> UInt32 { settings.pairing == .owner ? serial.raw : 0 }

  // MARK: Adding readings

  /// Adds a trusted accelerometer reading of the customer in `record.subject`, who claims `serial`.
  public func addAccelerometer(_ record: Record, serial: SerialID, arrivalMs: Int64) -> Added {
    let key = key(serial)
    let state = states.activate(key, arrivalMs: arrivalMs)
    var reading = AccelerometerReading(record)
    guard let place = state.pointee.accelerometer.place(for: reading) else {
      return Added(isDuplicate: true, matches: .none)
    }
    reading = reading.settled(record, in: &texts)
    countLateness(reading.timeMs, state)
    state.pointee.accelerometer.insert(reading, at: place)
    accelerometerCount += 1
    state.pointee.latestAccelerometer = max(state.pointee.latestAccelerometer, EventTime(ms: reading.timeMs))
    return Added(isDuplicate: false, matches: matches(.stepTrainer(reading), reading.timeMs, key, state))
  }

  /// Adds a trusted step trainer reading of the serial number in `reading`.
  public func addStepTrainer(_ reading: StepTrainerReading, arrivalMs: Int64) -> Added {
    let key = key(reading.serial)
    let state = states.activate(key, arrivalMs: arrivalMs)
    guard let place = state.pointee.stepTrainer.place(for: reading) else {
      return Added(isDuplicate: true, matches: .none)
    }
    countLateness(reading.timeMs, state)
    state.pointee.stepTrainer.insert(reading, at: place)
    stepTrainerCount += 1
    state.pointee.latestStepTrainer = max(state.pointee.latestStepTrainer, EventTime(ms: reading.timeMs))
    return Added(isDuplicate: false, matches: matches(.accelerometer(reading), reading.timeMs, key, state))
  }

  /// Keeps a step trainer reading until a claimant is curated. False if it is an exact repeat.
  public func hold(_ reading: StepTrainerReading, arrivalMs: Int64) -> Bool {
    if states.find(key(reading.serial))?.pointee.stepTrainer.contains(reading) ?? false { return false }
    let state = states.activate(reading.serial.raw, arrivalMs: arrivalMs)
    guard let place = state.pointee.held.place(for: reading) else { return false }
    state.pointee.held.insert(reading, at: place)
    heldCount += 1
    state.pointee.latestStepTrainer = max(state.pointee.latestStepTrainer, EventTime(ms: reading.timeMs))
    return true
  }

  private func countLateness(_ timeMs: Int64, _ state: UnsafeMutablePointer<SerialState>) {
    let watermark = state.pointee.watermark
    guard settings.evicts, watermark != .distantPast else { return }
    if EventTime(ms: timeMs) < watermark.advanced(byMs: -settings.allowedLatenessMs) { counts.late += 1 }
  }

  // MARK: Pairs

  // Both inputs look through the other's list by the same rule; it is symmetric in the two times.
  private func matches(
    _ source: Matches.Source, _ timeMs: Int64, _ key: UInt32, _ state: UnsafeMutablePointer<SerialState>
  ) -> Matches {
    let time = EventTime(ms: timeMs)
    let fromMs = time.advanced(byMs: -settings.toleranceMs).ms
    var matches = Matches()
    matches.source = source
    matches.throughMs = time.advanced(byMs: settings.toleranceMs).ms
    matches.key = key
    switch source {
    case .accelerometer:
      let cursor = state.pointee.accelerometer.cursor(at: fromMs)
      (matches.chunk, matches.index) = (cursor.chunk, cursor.index)
    case .stepTrainer:
      let cursor = state.pointee.stepTrainer.cursor(at: fromMs)
      (matches.chunk, matches.index) = (cursor.chunk, cursor.index)
    case .nothing: break
    }
    return matches
  }

  /// The next pairs, none when all were given. They are good until the next call.
  public func next(_ matches: inout Matches, _ dates: ConsentDates) -> UnsafeBufferPointer<Pair> {
    guard let state = states.find(matches.key) else { return UnsafeBufferPointer(rebasing: pairBuffer[..<0]) }
    var count = 0
    switch matches.source {
    case .nothing: break
    case .accelerometer(let reading):
      var cursor = ReadingList<AccelerometerReading>.Cursor(chunk: matches.chunk, index: matches.index)
      while count < pairBuffer.count, let partner = state.pointee.accelerometer.next(&cursor) {
        if partner.timeMs > matches.throughMs { break }
        add(Pair(stepTrainer: reading, accelerometer: partner), dates, &count)
      }
      (matches.chunk, matches.index) = (cursor.chunk, cursor.index)
    case .stepTrainer(let reading):
      var cursor = ReadingList<StepTrainerReading>.Cursor(chunk: matches.chunk, index: matches.index)
      while count < pairBuffer.count, let partner = state.pointee.stepTrainer.next(&cursor) {
        if partner.timeMs > matches.throughMs { break }
        add(Pair(stepTrainer: partner, accelerometer: reading), dates, &count)
      }
      (matches.chunk, matches.index) = (cursor.chunk, cursor.index)
    }
    return UnsafeBufferPointer(rebasing: pairBuffer[..<count])
  }

  private func add(_ pair: Pair, _ dates: ConsentDates, _ count: inout Int) {
    if settings.pairing == .owner {
      let since = dates[pair.accelerometer.customer]
      if min(pair.stepTrainer.timeMs, pair.accelerometer.timeMs) < since.ms { return }
    }
    pairBuffer[count] = pair
    count += 1
  }

  /// Copies the texts of x, y and z, one after another, to `out` (765 bytes at most).
  public func copyNumbers(of reading: AccelerometerReading, to out: UnsafeMutableRawPointer) {
    if reading.isLong {
      texts.copy(reading.handle, to: out)
    } else {
      out.storeBytes(of: reading.low, as: UInt64.self)
      (out + 8).storeBytes(of: reading.high, as: UInt64.self)
    }
  }
}
