// Has the memory that the next readings will need on its way to the cache before they are judged
// (ConsentIndex+Fetch.swift), a group at a time.
//
// Invariant: nothing is decided, and a record's `subject` is only a guess until the record is judged: without this
// all is the same, but slower.

import CFastPath
import Consent
import Join
import Records

struct FetchAhead: ~Copyable {
  /// Readings fetched together: more than a core's line fill buffers keep busy, few enough that none is evicted before
  /// it is used.
  static let groupSize = 32

  private typealias Readings = UnsafeMutableBufferPointer<UnsafeMutablePointer<Record>>
  private let accelerometer = Readings.allocate(capacity: groupSize)
  private let stepTrainer = Readings.allocate(capacity: groupSize)
  private let serials = UnsafeMutableBufferPointer<SerialID>.allocate(capacity: groupSize)
  /// The records of the present batch that were fetched already end here.
  private var end = 0

  deinit {
    accelerometer.deallocate()
    stepTrainer.deallocate()
    serials.deallocate()
  }

  /// Another batch begins.
  mutating func reset() { end = 0 }

  /// Fetches for a group of records, from `first` in the batch's `run` on, unless that was done before. The readings
  /// get what their identities most likely are as `subject`.
  mutating func fetch(
    _ batch: RecordBatch, run: Int, from first: Int, _ consent: ConsentIndex, _ join: IntervalJoin
  ) {
    guard first >= end else { return }
    let records = batch.records
    end = min(records.count, first + Self.groupSize)
    var (accelerometerCount, stepTrainerCount) = (0, 0)
    // A bit a record.
    var repeats: UInt32 = 0
    var run = run
    for place in first..<end {
      while place >= batch.runs[run].first + batch.runs[run].count { run += 1 }
      if records[place].problem != 0 { continue }
      if place > first && isRepeat(place, records) {
        repeats |= 1 << UInt32(place - first)
        continue
      }
      switch batch.runs[run].kind {
      case .accelerometer:
        accelerometer[accelerometerCount] = records.baseAddress! + place
        accelerometerCount += 1
      case .stepTrainer:
        stepTrainer[stepTrainerCount] = records.baseAddress! + place
        stepTrainerCount += 1
      case .customer, .unknown: break
      }
    }
    let claimed = consent.fetchCustomers(
      UnsafeBufferPointer(rebasing: accelerometer[..<accelerometerCount]), serials: serials)
    let named = consent.fetchSerials(
      UnsafeBufferPointer(rebasing: stepTrainer[..<stepTrainerCount]),
      serials: UnsafeMutableBufferPointer(rebasing: serials[claimed...]))
    join.fetch(UnsafeBufferPointer(rebasing: serials[..<(claimed + named)]))
    consent.fetchClaimants(of: UnsafeBufferPointer(rebasing: serials[claimed..<(claimed + named)]))
    // The next group's texts are still in the cache of the core that parsed them.
    for place in end..<min(records.count, end + Self.groupSize) { sg_prefetch(records[place].identity) }
    while repeats != 0 {
      let place = first + repeats.trailingZeroBitCount
      records[place].subject = records[place - 1].subject
      repeats &= repeats - 1
    }
  }

  // Devices send several readings at a time.
  private func isRepeat(_ place: Int, _ records: UnsafeMutableBufferPointer<Record>) -> Bool {
    guard records[place - 1].problem == 0 else { return false }
    return records[place].identityBytes.isSameIdentity(as: records[place - 1].identityBytes)
  }
}
