// Has the memory that the next readings will need on its way to the cache before they are judged
// (ConsentIndex+Fetch.swift), a group at a time.
//
// Invariant: nothing is changed and nothing decided: without this all is the same, but slower.

import Consent
import Join
import Records

struct FetchAhead: ~Copyable {
  /// Readings fetched together: more than a core's line fill buffers keep busy, few enough that none is evicted before
  /// it is used.
  static let groupSize = 32

  private let emails = UnsafeMutableBufferPointer<UnsafeRawBufferPointer>.allocate(capacity: groupSize)
  private let serialNumbers = UnsafeMutableBufferPointer<UnsafeRawBufferPointer>.allocate(capacity: groupSize)
  private let serials = UnsafeMutableBufferPointer<SerialID>.allocate(capacity: groupSize)
  /// The records of the present batch that were fetched already end here.
  private var end = 0

  deinit {
    emails.deallocate()
    serialNumbers.deallocate()
    serials.deallocate()
  }

  /// Another batch begins.
  mutating func reset() { end = 0 }

  /// Fetches for a group of records, from `first` in the batch's `run` on, unless that was done before.
  mutating func fetch(
    _ batch: RecordBatch, run: Int, from first: Int, _ consent: ConsentIndex, _ join: IntervalJoin
  ) {
    guard first >= end else { return }
    let records = batch.records
    end = min(records.count, first + Self.groupSize)
    var (emailCount, serialCount) = (0, 0)
    var run = run
    for place in first..<end {
      while place >= batch.runs[run].first + batch.runs[run].count { run += 1 }
      if records[place].problem != 0 || isRepeat(place, records) { continue }
      switch batch.runs[run].kind {
      case .accelerometer:
        emails[emailCount] = records[place].identityBytes
        emailCount += 1
      case .stepTrainer:
        serialNumbers[serialCount] = records[place].identityBytes
        serialCount += 1
      case .customer, .unknown: break
      }
    }
    let claimed = consent.fetchCustomers(
      UnsafeBufferPointer(rebasing: emails[..<emailCount]), serials: serials)
    let named = consent.fetchSerials(
      UnsafeBufferPointer(rebasing: serialNumbers[..<serialCount]),
      serials: UnsafeMutableBufferPointer(rebasing: serials[claimed...]))
    join.fetch(UnsafeBufferPointer(rebasing: serials[..<(claimed + named)]))
  }

  // Devices send several readings at a time.
  private func isRepeat(_ place: Int, _ records: UnsafeMutableBufferPointer<Record>) -> Bool {
    guard place > 0, records[place - 1].problem == 0 else { return false }
    return records[place].identityBytes.isSameIdentity(as: records[place - 1].identityBytes)
  }
}
