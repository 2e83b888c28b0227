// What happens to a customer record, to an accelerometer reading, to a step trainer reading.
//
// Invariant: consent judges first; the join sees only what it lets through; rows are written in the order in which
// the records are judged.

import Consent
import Join
import Records
import Storage

extension Engine {
  // MARK: Customers

  func handleCustomers(
    _ records: UnsafeMutableBufferPointer<Record>, _ run: Run, _ batch: RecordBatch
  ) throws(StorageError) {
    let trusted = output(.customerTrusted)
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
    let outputs = stepTrainerOutputs
    for held in join.reconcile(serial, with: consent.coverage(of: serial)) {
      counts.settleHeld(1, as: held.verdict == .trusted ? try trust(held.reading, outputs) : held.verdict)
    }
    join.settle(after: serial)
  }

  // Only once the run's own held readings are counted.
  func settleExpired() {
    let expired = join.takeExpired()
    if expired > 0 { counts.settleHeld(expired, as: .noAccelerometer) }
  }

  // MARK: Readings

  // Where a trusted reading's rows go. Looked up once a group, for that counts references.
  private typealias Outputs = (trusted: TableOutput, pairs: TableOutput)
  private var accelerometerOutputs: Outputs {
    (output(.accelerometerTrusted), output(.machineLearningCurated))
  }
  private var stepTrainerOutputs: Outputs { (output(.stepTrainerTrusted), output(.machineLearningCurated)) }

  func handleAccelerometer(
    _ records: UnsafeMutableBufferPointer<Record>, _ run: Run
  ) throws(StorageError) {
    consent.judgeAccelerometer(records, latest: latest(run))
    let outputs = accelerometerOutputs
    for record in records {
      if record.problem != 0 {
        try refuse(record, run)
        continue
      }
      try land(record, .accelerometerLanding)
      var verdict = Verdict(rawValue: record.verdict).unsafelyUnwrapped
      if verdict == .trusted { verdict = try trust(record, outputs) }
      if verdict == .future { try refuseFuture(record, run) }
      count(verdict)
    }
  }

  // Gives `trusted`, or `duplicate` for an exact repeat.
  private func trust(_ record: Record, _ outputs: Outputs) throws(StorageError) -> Verdict {
    let customer = CustomerID(record.subject)
    let serial = consent.serial(of: customer)
    let added = join.addAccelerometer(record, serial: serial, arrivalMs: clockMs)
    if added.isDuplicate { return .duplicate }
    outputs.trusted.rows.appendAccelerometer(record, email: consent.email(of: customer))
    try outputs.trusted.flushIfLarge()
    if record.curates != 0 { try curate(customer) }
    try writePairs(added.matches, outputs.pairs)
    if record.curates != 0 { try reconcile(serial) } else { join.settle(after: serial) }
    return .trusted
  }

  private func curate(_ customer: CustomerID) throws(StorageError) {
    let curated = output(.customersCurated)
    let before = curated.rows.count
    consent.takeRow(of: customer) { curated.rows.append(length: $0) }
    if curated.rows.count > before { curated.rows.endRow() }
    try curated.flushIfLarge()
  }

  func handleStepTrainer(
    _ records: UnsafeMutableBufferPointer<Record>, _ run: Run
  ) throws(StorageError) {
    consent.judgeStepTrainer(records, latest: latest(run))
    let outputs = stepTrainerOutputs
    for record in records {
      if record.problem != 0 {
        try refuse(record, run)
        continue
      }
      try land(record, .stepTrainerLanding)
      var verdict = Verdict(rawValue: record.verdict).unsafelyUnwrapped
      let reading = StepTrainerReading(record)
      if verdict == .trusted { verdict = try trust(reading, outputs) }
      if verdict == .held && !join.hold(reading, arrivalMs: clockMs) { verdict = .duplicate }
      if verdict == .future { try refuseFuture(record, run) }
      count(verdict)
      if verdict == .trusted || verdict == .held { join.settle(after: reading.serial) }
    }
  }

  // Gives `trusted`, or `duplicate` for an exact repeat.
  private func trust(_ reading: StepTrainerReading, _ outputs: Outputs) throws(StorageError) -> Verdict {
    let added = join.addStepTrainer(reading, arrivalMs: clockMs)
    if added.isDuplicate { return .duplicate }
    outputs.trusted.rows.appendStepTrainer(reading, serialNumber: consent.text(of: reading.serial))
    try outputs.trusted.flushIfLarge()
    try writePairs(added.matches, outputs.pairs)
    return .trusted
  }

  private func writePairs(_ matches: Matches, _ curated: TableOutput) throws(StorageError) {
    var matches = matches
    while true {
      let pairs = join.next(&matches, consent.dates)
      if pairs.isEmpty { return }
      curated.rows.appendPairs(pairs, consent: consent, join: join)
      try curated.flushIfLarge()
    }
  }
}
