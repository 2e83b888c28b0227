// What happens to an accelerometer reading and to a step trainer reading.
//
// Invariant: consent judges first; the join sees only what it lets through; rows are written in the order in which
// the records are judged.

import Consent
import Join
import Records
import Storage

extension Engine {
  // Where rows go is looked up once a group, and borrowed below: counting references is atomic, and cost a twelfth of
  // the engine's time.

  func handleAccelerometer(
    _ records: UnsafeMutableBufferPointer<Record>, _ run: Run
  ) throws(StorageError) {
    consent.judgeAccelerometer(records, latest: latest(run))
    let (trusted, curated) = (tables[.accelerometerTrusted], tables[.machineLearningCurated])
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
    let curated = tables[.customersCurated]
    let before = curated.rows.count
    consent.takeRow(of: customer) { curated.rows.append(length: $0) }
    if curated.rows.count > before { curated.rows.endRow() }
    try curated.flushIfLarge()
  }

  func handleStepTrainer(
    _ records: UnsafeMutableBufferPointer<Record>, _ run: Run
  ) throws(StorageError) {
    consent.judgeStepTrainer(records, latest: latest(run))
    let (trusted, curated) = (tables[.stepTrainerTrusted], tables[.machineLearningCurated])
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
  func trust(
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
