// Records in, rows out: consent, join, tables and verdicts, in the order of arrival.
//
// Invariants:
// - What is written is a function of the records, their arrival times and the settings: it does not
//   depend on how records were batched, on the hash seed or on the wall clock.
// - Every record gets one verdict, or is held and gets it later.
// - What consent refuses is counted and goes nowhere.
// - The pipeline's clock is the latest arrival time so far; it never runs backwards.

import Consent
import Join
import Records
import SegmentLog
import Storage

/// What the operator chooses about the results.
public struct EngineSettings: Equatable, Sendable {
  public var consent = ConsentMode.enforce
  public var join = JoinSettings()
  /// How far a reading may be ahead of its arrival; nil accepts any.
  public var futureSkewMs: Int64? = 300_000
  public var landing = false
  /// Whether records come from a broker: then there is a table of the gaps in what came.
  public var live = false
  /// The time that a segment covers at most; rolls fall on its multiples in UTC. Nil never rolls by age.
  public var segmentAgeMs: Int64? = 86_400_000
  public var segmentBytes = 64 << 20

  public init() {}

  /// The tables that are written.
  public var tables: [Table] {
    Table.allCases.filter { !$0.isOptional || ($0 == .gaps ? live : landing) }
  }
}

/// The pipeline. One thread at a time.
public final class Engine {
  public private(set) var settings: EngineSettings
  let consent: ConsentIndex
  let join: IntervalJoin
  /// The verdicts so far.
  public internal(set) var counts = VerdictCounts()
  private let fileSystem: any FileSystem
  private let dataDirectory: String
  private let recovers: Bool
  private var outputs = [TableOutput?](repeating: nil, count: Table.allCases.count)
  private let tally = UnsafeMutableBufferPointer<Int>.allocate(capacity: Verdict.allCases.count)
  private var customerRow = RowBuffer(capacity: 4096)
  private(set) var clockMs = Int64.min
  private var agePeriod: Int64?

  /// Opens the tables in a data folder.
  /// - Parameters:
  ///   - recovers: whether the first records to come are those that made the tables' present rows; then
  ///     these rows are not written again, until `endRecovery`.
  ///   - hashSeed: random for each process; fixed in tests.
  public init(
    settings: EngineSettings, fileSystem: any FileSystem, dataDirectory: String, recovers: Bool = false,
    hashSeed: UInt64 = .random(in: .min ... .max)
  ) throws(SegmentLogError) {
    self.settings = settings
    consent = ConsentIndex(mode: settings.consent, hashSeed: hashSeed)
    join = IntervalJoin(settings: settings.join)
    self.fileSystem = fileSystem
    self.dataDirectory = dataDirectory
    self.recovers = recovers
    tally.initialize(repeating: 0)
    try openTables()
  }

  private func openTables() throws(SegmentLogError) {
    for table in settings.tables where outputs[table.rawValue] == nil {
      let writer = try SegmentWriter(
        fileSystem: fileSystem, directory: table.directory(in: dataDirectory),
        options: SegmentOptions(segmentBytes: settings.segmentBytes))
      outputs[table.rawValue] = TableOutput(table, writer: writer, recovers: recovers)
    }
  }

  deinit { tally.deallocate() }

  /// What left the join's state, and late readings.
  public var joinCounts: JoinCounts { join.counts }
  /// Readings in the join's state.
  public var readingsInState: Int { join.readingCount }
  /// Customers in the consent index.
  public var customerCount: Int { consent.customerCount }

  func output(_ table: Table) -> TableOutput {
    guard let output = outputs[table.rawValue] else { preconditionFailure("\(table.name) is not written") }
    return output
  }

  /// The rows of each table that is written.
  public var rowCounts: [Table: Int] {
    var rows: [Table: Int] = [:]
    for output in outputs { if let output { rows[output.table] = output.endOffset } }
    return rows
  }

  /// Goes on with other settings: for the records to come, and for the readings that wait.
  public func apply(_ new: EngineSettings) throws(SegmentLogError) {
    let arrivalMs = clockMs
    join.setPairing(new.join.pairing, arrivalMs: arrivalMs) { self.consent.serial(of: $0) }
    join.settings = new.join
    settings = new
    try openTables()
    guard consent.mode != new.consent else { return }
    consent.mode = new.consent
    do throws(StorageError) {
      for serial in 0..<consent.serialCount { try reconcile(SerialID(UInt32(serial))) }
    } catch { throw .storage(error) }
  }

  // MARK: Batches

  /// Handles a batch's records. Rows may wait in memory until `flush`.
  public func process(_ batch: RecordBatch) throws(StorageError) {
    for run in batch.runs {
      try advanceClock(to: run.arrivalMs)
      counts.receive(run.kind, run.count)
      let records = UnsafeMutableBufferPointer(rebasing: batch.records[run.first..<run.first + run.count])
      switch run.kind {
      case .customer: try handleCustomers(records, run, batch)
      case .accelerometer: try handleAccelerometer(records, run)
      case .stepTrainer: try handleStepTrainer(records, run)
      case .unknown: for record in records { try refuse(record, run) }
      }
      countVerdicts(run.kind)
      settleExpired()
    }
  }

  private func advanceClock(to arrivalMs: Int64) throws(StorageError) {
    clockMs = max(clockMs, arrivalMs)
    join.evictIdle(nowMs: clockMs)
    settleExpired()
    guard let age = settings.segmentAgeMs else { return }
    let period = clockMs / age
    if let agePeriod, period != agePeriod {
      for output in outputs { try output?.roll() }
    }
    agePeriod = period
  }

  private func latest(_ run: Run) -> EventTime {
    settings.futureSkewMs.map { EventTime(ms: run.arrivalMs).advanced(byMs: $0) } ?? .distantFuture
  }

  // Summed up here and added once a run.
  private func count(_ verdict: Verdict) { tally[Int(verdict.rawValue)] += 1 }

  private func countVerdicts(_ kind: RecordKind) {
    for verdict in Verdict.allCases where tally[Int(verdict.rawValue)] > 0 {
      counts.judge(kind, verdict, tally[Int(verdict.rawValue)])
      tally[Int(verdict.rawValue)] = 0
    }
  }

  private func refuse(_ record: Record, _ run: Run) throws(StorageError) {
    guard let problem = Problem(rawValue: record.problem) else { preconditionFailure("an unknown problem") }
    count(problem.verdict)
    let detail = problem.detail(kind: run.kind, field: record.field)
    try quarantine(record, run, problem.verdict, detail)
  }

  private func refuseFuture(_ record: Record, _ run: Run) throws(StorageError) {
    try quarantine(record, run, .future, "the reading's time is too far ahead of its arrival")
  }

  private func quarantine(
    _ record: Record, _ run: Run, _ reason: Verdict, _ detail: String
  ) throws(StorageError) {
    let rejected = output(.rejected)
    rejected.rows.appendRejected(
      record, arrivalMs: run.arrivalMs, topic: run.topic, reason: reason, detail: detail)
    try rejected.flushIfLarge()
  }

  /// Writes a row of audit/gaps.
  public func recordGap(_ gap: SessionGap) throws(StorageError) {
    output(.gaps).rows.appendGap(gap)
  }

  private func land(_ record: Record, _ table: Table) throws(StorageError) {
    guard settings.landing else { return }
    output(table).rows.appendLanding(record)
    try output(table).flushIfLarge()
  }

  // MARK: Customers

  private func handleCustomers(
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
    if let left = change.left { try reconcile(left) }
    try reconcile(change.claims)
  }

  // Settles the held readings of a serial number whose coverage changed.
  private func reconcile(_ serial: SerialID) throws(StorageError) {
    for held in join.reconcile(serial, with: consent.coverage(of: serial)) {
      counts.settleHeld(1, as: held.verdict == .trusted ? try trust(held.reading) : held.verdict)
    }
    join.settle(after: serial)
  }

  // Only once the run's own held readings are counted.
  private func settleExpired() {
    let expired = join.takeExpired()
    if expired > 0 { counts.settleHeld(expired, as: .noAccelerometer) }
  }

  // MARK: Readings

  private func handleAccelerometer(
    _ records: UnsafeMutableBufferPointer<Record>, _ run: Run
  ) throws(StorageError) {
    consent.judgeAccelerometer(records, latest: latest(run))
    for record in records {
      if record.problem != 0 {
        try refuse(record, run)
        continue
      }
      try land(record, .accelerometerLanding)
      var verdict = Verdict(rawValue: record.verdict).unsafelyUnwrapped
      if verdict == .trusted { verdict = try trust(record) }
      if verdict == .future { try refuseFuture(record, run) }
      count(verdict)
    }
  }

  // Gives `trusted`, or `duplicate` for an exact repeat.
  private func trust(_ record: Record) throws(StorageError) -> Verdict {
    let customer = CustomerID(record.subject)
    let serial = consent.serial(of: customer)
    let added = join.addAccelerometer(record, serial: serial, arrivalMs: clockMs)
    if added.isDuplicate { return .duplicate }
    let trusted = output(.accelerometerTrusted)
    trusted.rows.appendAccelerometer(record)
    try trusted.flushIfLarge()
    if record.curates != 0 { try curate(customer) }
    try writePairs(added.matches)
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

  private func handleStepTrainer(
    _ records: UnsafeMutableBufferPointer<Record>, _ run: Run
  ) throws(StorageError) {
    consent.judgeStepTrainer(records, latest: latest(run))
    for record in records {
      if record.problem != 0 {
        try refuse(record, run)
        continue
      }
      try land(record, .stepTrainerLanding)
      var verdict = Verdict(rawValue: record.verdict).unsafelyUnwrapped
      let reading = StepTrainerReading(record)
      if verdict == .trusted { verdict = try trust(reading) }
      if verdict == .held && !join.hold(reading, arrivalMs: clockMs) { verdict = .duplicate }
      if verdict == .future { try refuseFuture(record, run) }
      count(verdict)
      if verdict == .trusted || verdict == .held { join.settle(after: reading.serial) }
    }
  }

  // Gives `trusted`, or `duplicate` for an exact repeat.
  private func trust(_ reading: StepTrainerReading) throws(StorageError) -> Verdict {
    let added = join.addStepTrainer(reading, arrivalMs: clockMs)
    if added.isDuplicate { return .duplicate }
    let trusted = output(.stepTrainerTrusted)
    trusted.rows.appendStepTrainer(reading, serialNumber: consent.text(of: reading.serial))
    try trusted.flushIfLarge()
    try writePairs(added.matches)
    return .trusted
  }

  private func writePairs(_ matches: Matches) throws(StorageError) {
    let curated = output(.machineLearningCurated)
    var matches = matches
    while true {
      let pairs = join.next(&matches, consent.dates)
      if pairs.isEmpty { return }
      for pair in pairs { curated.rows.appendPair(pair, consent: consent, join: join) }
      try curated.flushIfLarge()
    }
  }

  // MARK: Ends

  /// The end of a recovery: all rows to come are new.
  /// - Returns: the rows of each table that the records so far did not account for.
  public func endRecovery() throws(StorageError) -> [Table: Int] {
    var unexplained: [Table: Int] = [:]
    for case let output? in outputs {
      let rows = try output.endRecovery()
      if rows > 0 { unexplained[output.table] = rows }
    }
    return unexplained
  }

  /// Writes the rows that wait in memory to the segments.
  public func flush() throws(StorageError) {
    for output in outputs { try output?.flush() }
  }

  /// The end of a replay: what is still held gets no partner.
  public func endHeld() {
    let held = join.endHeld()
    if held > 0 { counts.settleHeld(held, as: .noAccelerometer) }
  }

  /// Writes what waits, makes it durable and ends the checksum blocks.
  public func close() throws(StorageError) {
    for output in outputs { try output?.close() }
  }
}
