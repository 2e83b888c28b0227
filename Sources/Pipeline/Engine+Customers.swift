// What happens to a customer record, and to readings when what is known of their customers changes.

import Consent
import Join
import Records
import Storage

extension Engine {
  func handleCustomers(
    _ records: UnsafeMutableBufferPointer<Record>, _ run: Run, _ batch: RecordBatch
  ) throws(StorageError) {
    let trusted = tables[.customerTrusted]
    for record in records {
      if record.problem != 0 {
        try refuse(record, run)
        continue
      }
      try land(record, .customerLanding)
      let fields = batch.customer(of: record)
      customerRow.clear()
      customerRow.appendCustomer(fields)
      let change = consent.apply(record, fields, row: customerRow.bytes, arrivalMs: run.arrivalMs)
      count(change.verdict)
      if change.verdict == .consenting {
        trusted.rows.append(customerRow.bytes)
        trusted.rows.endRow()
        try trusted.flushIfLarge()
      }
      if change.verdict != .stale { try follow(change) }
    }
  }

  // Brings the join in line with what a customer record changed.
  private func follow(_ change: CustomerChange) throws(StorageError) {
    if change.withdrew {
      shownFrom = tables[.machineLearningCurated].endOffset
      join.removeReadings(of: change.customer, serial: change.left ?? change.claims)
    } else if let left = change.left {
      join.moveReadings(of: change.customer, from: left, to: change.claims, arrivalMs: clockMs)
    }
    if let left = change.left {
      try reconcile(left)
      if change.leftIsAnonymous { join.forget(left) }
    }
    try reconcile(change.claims)
  }

  // Settles the held readings of a serial number whose coverage changed.
  func reconcile(_ serial: SerialID) throws(StorageError) {
    let (trusted, curated) = (tables[.stepTrainerTrusted], tables[.machineLearningCurated])
    for held in join.reconcile(serial, with: consent.coverage(of: serial)) {
      let verdict = held.verdict == .trusted ? try trust(held.reading, trusted, curated) : held.verdict
      counts.settleHeld(1, as: verdict)
    }
    join.settle(after: serial)
  }

  // Only once the run's own held readings are counted.
  func settleExpired() {
    let expired = join.takeExpired()
    if expired > 0 { counts.settleHeld(expired, as: .noAccelerometer) }
  }
}
