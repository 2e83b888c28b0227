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

/// The pipeline. One thread at a time.
public final class Engine {
  public private(set) var settings: EngineSettings
  let consent: ConsentIndex
  let join: IntervalJoin
  /// The verdicts so far.
  public internal(set) var counts: VerdictCounts
  public let tables: TableSet
  private let tally = UnsafeMutableBufferPointer<Int>.allocate(capacity: Verdict.allCases.count)
  private var fetchAhead = FetchAhead()
  var customerRow = RowBuffer(capacity: 4096)
  /// The offset in machine_learning_curated from which on no row is of somebody who has withdrawn since: for those who
  /// show the last rows. What is before the engine's beginning is not known to be so.
  public internal(set) var shownFrom = 0
  private(set) var clockMs: Int64
  private(set) var agePeriod: Int64?

  /// Opens the tables in a data folder, to add rows to what they hold.
  /// - Parameters:
  ///   - hashSeed: random for each process; fixed in tests.
  ///   - writesBehind: whether rows are written on a thread of their own, and need not be there before
  ///     the tables are closed.
  public convenience init(
    settings: EngineSettings, fileSystem: any FileSystem, dataDirectory: String,
    hashSeed: UInt64 = .random(in: .min ... .max), writesBehind: Bool = false
  ) throws(SegmentLogError) {
    try self.init(
      EngineState(settings, hashSeed: hashSeed), settings, fileSystem, dataDirectory, recovers: false,
      writeBehind: writesBehind ? WriteBehind() : nil)
  }

  /// Goes on from a state. The tables may hold rows behind its positions already: those are made once more by
  /// the records that follow, and compared, until `TableSet.endRecovery`.
  /// - Parameter state: decoded with the same settings. It is used up.
  public convenience init(
    resuming state: EngineState, settings: EngineSettings, fileSystem: any FileSystem, dataDirectory: String
  ) throws(SegmentLogError) {
    try self.init(state, settings, fileSystem, dataDirectory, recovers: true)
  }

  private init(
    _ state: EngineState, _ settings: EngineSettings, _ fileSystem: any FileSystem, _ dataDirectory: String,
    recovers: Bool, writeBehind: WriteBehind? = nil
  ) throws(SegmentLogError) {
    self.settings = settings
    tables = TableSet(
      fileSystem: fileSystem, dataDirectory: dataDirectory, resumingAt: recovers ? state.positions : nil,
      writeBehind: writeBehind)
    consent = state.consent
    join = state.join
    counts = state.counts
    clockMs = state.clockMs
    agePeriod = state.agePeriod
    tally.initialize(repeating: 0)
    try tables.open(settings.tables, segmentBytes: settings.segmentBytes)
    shownFrom = tables[.machineLearningCurated].endOffset
  }

  deinit { tally.deallocate() }

  /// What left the join's state, and late readings.
  public var joinCounts: JoinCounts { join.counts }
  /// Readings in the join's state.
  public var readingsInState: Int { join.readingCount }
  /// What the join's state is charged with, in bytes; `JoinSettings.maxMemoryBytes` bounds it.
  public var joinMemoryBytes: Int { join.memoryBytes }
  /// How far event time has come with the serial numbers that were active last, see
  /// `IntervalJoin.recentWatermark`.
  public var recentWatermark: EventTime? { join.recentWatermark }
  /// Customers in the consent index.
  public var customerCount: Int { consent.customerCount }

  /// Goes on with other settings: for the records to come, and for the readings that wait.
  public func apply(_ new: EngineSettings) throws(SegmentLogError) {
    let arrivalMs = clockMs
    join.setPairing(new.join.pairing, arrivalMs: arrivalMs) { self.consent.serial(of: $0) }
    join.settings = new.join
    settings = new
    try tables.open(new.tables, segmentBytes: new.segmentBytes)
    guard consent.mode != new.consent else { return }
    consent.mode = new.consent
    do throws(StorageError) {
      for serial in 0..<consent.serialCount { try reconcile(SerialID(UInt32(serial))) }
    } catch { throw .storage(error) }
    settleExpired()
  }

  // MARK: Batches

  /// Handles a batch's records. Rows may wait in memory until the tables are flushed.
  /// - Parameter runs: the runs to handle; nil for all.
  public func process(_ batch: RecordBatch, runs: Range<Int>? = nil) throws(StorageError) {
    fetchAhead.reset()
    let records = batch.records
    for number in runs ?? 0..<batch.runs.count {
      let run = batch.runs[number]
      try advanceClock(to: run.arrivalMs)
      counts.receive(run.kind, run.count)
      for first in stride(from: run.first, to: run.first + run.count, by: FetchAhead.groupSize) {
        fetchAhead.fetch(batch, run: number, from: first, consent, join)
        let end = min(first + FetchAhead.groupSize, run.first + run.count)
        try handle(UnsafeMutableBufferPointer(rebasing: records[first..<end]), run, batch)
      }
      countVerdicts(run.kind)
      settleExpired()
    }
  }

  private func handle(
    _ records: UnsafeMutableBufferPointer<Record>, _ run: Run, _ batch: RecordBatch
  ) throws(StorageError) {
    switch run.kind {
    case .customer: try handleCustomers(records, run, batch)
    case .accelerometer: try handleAccelerometer(records, run)
    case .stepTrainer: try handleStepTrainer(records, run)
    case .unknown: for record in records { try refuse(record, run) }
    }
  }

  private func advanceClock(to arrivalMs: Int64) throws(StorageError) {
    clockMs = max(clockMs, arrivalMs)
    join.evictIdle(nowMs: clockMs)
    settleExpired()
    guard let age = settings.segmentAgeMs else { return }
    let period = clockMs / age
    if let agePeriod, period != agePeriod { try tables.roll() }
    agePeriod = period
  }

  func latest(_ run: Run) -> EventTime {
    settings.futureSkewMs.map { EventTime(ms: run.arrivalMs).advanced(byMs: $0) } ?? .distantFuture
  }

  // Summed up here and added once a run.
  func count(_ verdict: Verdict) { tally[Int(verdict.rawValue)] += 1 }

  private func countVerdicts(_ kind: RecordKind) {
    for verdict in Verdict.allCases where tally[Int(verdict.rawValue)] > 0 {
      counts.judge(kind, verdict, tally[Int(verdict.rawValue)])
      tally[Int(verdict.rawValue)] = 0
    }
  }

  func refuse(_ record: Record, _ run: Run) throws(StorageError) {
    guard let problem = Problem(rawValue: record.problem) else { preconditionFailure("an unknown problem") }
    count(problem.verdict)
    let detail = problem.detail(kind: run.kind, field: record.field)
    try quarantine(record, run, problem.verdict, detail)
  }

  func refuseFuture(_ record: Record, _ run: Run) throws(StorageError) {
    try quarantine(record, run, .future, "the reading's time is too far ahead of its arrival")
  }

  private func quarantine(
    _ record: Record, _ run: Run, _ reason: Verdict, _ detail: String
  ) throws(StorageError) {
    let rejected = tables[.rejected]
    rejected.rows.appendRejected(
      record, arrivalMs: run.arrivalMs, topic: run.topic, reason: reason, detail: detail)
    try rejected.flushIfLarge()
  }

  /// Writes a row of audit/gaps.
  public func recordGap(_ gap: SessionGap) throws(StorageError) {
    tables[.gaps].rows.appendGap(gap)
  }

  func land(_ record: Record, _ table: Table) throws(StorageError) {
    guard settings.landing else { return }
    tables[table].rows.appendLanding(record)
    try tables[table].flushIfLarge()
  }

  /// The end of a replay: what is still held gets no partner.
  public func endHeld() {
    let held = join.endHeld()
    if held > 0 { counts.settleHeld(held, as: .noAccelerometer) }
  }
}
