// What the tests of the join share: readings in short, and pairs as text.

import Records

@testable import Join

/// A join whose customers consent from `since` on, and all claim serial number 0 unless told otherwise.
final class Joined {
  let join: IntervalJoin
  var since: [Int64]
  var arrivalMs: Int64 = 0

  init(_ settings: JoinSettings = JoinSettings(), since: [Int64] = [.min, .min]) {
    join = IntervalJoin(settings: settings)
    self.since = since
  }

  private func pairs(_ added: Added) -> [String]? {
    if added.isDuplicate { return nil }
    var matches = added.matches
    var found: [String] = []
    since.withUnsafeBytes { dates in
      let dates = ConsentDates(first: dates.baseAddress!, stride: 8, mode: .enforce)
      while true {
        let some = join.next(&matches, dates)
        if some.isEmpty { return }
        found += some.map { "\($0.stepTrainer.timeMs)~\($0.accelerometer.timeMs)" }
      }
    }
    return found
  }

  /// The pairs "step trainer~accelerometer", nil for a duplicate.
  @discardableResult
  func accelerometer(
    _ timeMs: Int64, customer: UInt32 = 0, serial: UInt32 = 0, numbers: String = "123", xLength: UInt8 = 1
  ) -> [String]? {
    var text = Array(numbers.utf8)
    return text.withUnsafeMutableBufferPointer { text in
      var record = Record()
      record.time_ms = timeMs
      record.subject = customer
      record.numbers = UnsafePointer(text.baseAddress)
      (record.x_length, record.y_length) = (xLength, 1)
      record.z_length = UInt8(text.count) - xLength - 1
      let added = join.addAccelerometer(record, serial: SerialID(serial), arrivalMs: arrivalMs)
      defer { join.settle(after: SerialID(serial)) }
      return pairs(added)
    }
  }

  func reading(_ timeMs: Int64, _ serial: UInt32, _ distance: Int64) -> StepTrainerReading {
    var record = Record()
    record.time_ms = timeMs
    record.distance = distance
    record.subject = serial
    return StepTrainerReading(record)
  }

  @discardableResult
  func stepTrainer(_ timeMs: Int64, serial: UInt32 = 0, distance: Int64 = 0) -> [String]? {
    let added = join.addStepTrainer(reading(timeMs, serial, distance), arrivalMs: arrivalMs)
    defer { join.settle(after: SerialID(serial)) }
    return pairs(added)
  }

  @discardableResult
  func hold(_ timeMs: Int64, serial: UInt32 = 0) -> Bool {
    defer { join.settle(after: SerialID(serial)) }
    return join.hold(reading(timeMs, serial, 0), arrivalMs: arrivalMs)
  }
}

func joinSettings(_ change: (inout JoinSettings) -> Void) -> JoinSettings {
  var settings = JoinSettings()
  change(&settings)
  return settings
}
