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
    let (trusted, curated) = (output(.stepTrainerTrusted), output(.machineLearningCurated))
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

  // MARK: Readings

  // Where rows go is looked up once a group, and borrowed below: counting references is atomic, and cost a twelfth of
  // the engine's time.

  func handleAccelerometer(
    _ records: UnsafeMutableBufferPointer<Record>, _ run: Run
  ) throws(StorageError) {
    consent.judgeAccelerometer(records, latest: latest(run))
    let (trusted, curated) = (output(.accelerometerTrusted), output(.machineLearningCurated))
    for record in records {
      if record.problem != 0 {
        try refuse(record, run)
        continue
      }
      try land(record, .accelerometerLanding)
      var verdict = Verdict(rawValue: record.verdict).unsafelyUnwrapped
      if verdict == .trusted { verdict = try trust(record, trusted, curated) }
      if verdict == .future { try refuseFuture(record, run) }
      count(verdict)
    }
  }

  // Gives `trusted`, or `duplicate` for an exact repeat.
  private func trust(_ record: Record, _ trusted: borrowing TableOutput, _ curated: borrowing TableOutput)
    throws(StorageError) -> Verdict
  {
    let customer = CustomerID(record.subject)
    let serial = consent.serial(of: customer)
    let added = join.addAccelerometer(record, serial: serial, arrivalMs: clockMs)
    if added.isDuplicate { return .duplicate }
    trusted.rows.appendAccelerometer(record, email: consent.email(of: customer))
    try trusted.flushIfLarge()
    if record.curates != 0 { try curate(customer) }
    try writePairs(added.matches, curated)
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
    let (trusted, curated) = (output(.stepTrainerTrusted), output(.machineLearningCurated))
    for record in records {
      if record.problem != 0 {
        try refuse(record, run)
        continue
      }
      try land(record, .stepTrainerLanding)
      var verdict = Verdict(rawValue: record.verdict).unsafelyUnwrapped
      let reading = StepTrainerReading(record)
      if verdict == .trusted { verdict = try trust(reading, trusted, curated) }
      if verdict == .held && !join.hold(reading, arrivalMs: clockMs) { verdict = .duplicate }
      if verdict == .future { try refuseFuture(record, run) }
      count(verdict)
      if verdict == .trusted || verdict == .held { join.settle(after: reading.serial) }
    }
  }

  // Gives `trusted`, or `duplicate` for an exact repeat.
  private func trust(
    _ reading: StepTrainerReading, _ trusted: borrowing TableOutput, _ curated: borrowing TableOutput
  ) throws(StorageError) -> Verdict {
    let added = join.addStepTrainer(reading, arrivalMs: clockMs)
    if added.isDuplicate { return .duplicate }
    trusted.rows.appendStepTrainer(reading, serialNumber: consent.text(of: reading.serial))
    try trusted.flushIfLarge()
    try writePairs(added.matches, curated)
    return .trusted
  }

  private func writePairs(_ matches: Matches, _ curated: borrowing TableOutput) throws(StorageError) {
    var matches = matches
    while true {
      let pairs = join.next(&matches, consent.dates)
      if pairs.isEmpty { return }
      curated.rows.appendPairs(pairs, consent: consent, join: join)
      try curated.flushIfLarge()
    }
  }
}
