// The whole gateway in one thread, in virtual time, from one seed: broker, network, disk and readers are simulated, all
// else is what runs in production (with `SteppedEngine` in place of the engine's two threads).
//
// Invariants:
// - All that is drawn at random comes from the seed, so that a seed repeats its run.
// - Faults come only between the beginning and the last life of the gateway, which is undisturbed and drains the
//   broker. What is checked then (SimulationChecks.swift) is what a user was promised.

import Ingest
import Journal
import Mosquitto
import Pipeline
import Playback
import Records
import SegmentLog
import Storage
import TestSupport
import Threads

/// One run.
// One thread runs the whole simulation.
final class Simulation: @unchecked Sendable {
  // Runs that work take some thousands.
  private static let turnLimit = 60_000

  let plan: SimulationPlan
  let router: TopicRouter
  let time: VirtualTime
  let disk: SimulatedDisk
  let broker: SimulatedBroker
  let wakeUp = WakeUp()
  /// Sees and does what no fault can keep it from.
  let spectator: SimulatedProcess
  var random: SeededRandom
  var readers: TableReaders
  private(set) var history = JournalHistory()
  var coverage = SimulationCoverage()
  /// The settings of the first life.
  let firstSettings: GatewaySettings
  private var settings: GatewaySettings
  /// How many changes to the disk the gateway made.
  private(set) var mutationsUntilTheEnd = 0
  /// The verdicts of the last life that was stopped.
  var lastCounts: VerdictCounts?
  private(set) var failure: SimulationFailure?
  /// Told what happens, line by line, if somebody wants to know.
  var tell: ((String) -> Void)?
  private var life: GatewayLife?
  private var turns = 0
  private var livesEnded = 0
  private var roomReturnsAtMs = Int64.min
  /// How far the gateway's clock is off.
  private var clockErrorMs: Int64 = 0
  private var damagedCheckpoints: Set<Int> = []
  private var sessions = SessionCount()

  init(seed: UInt64, change: (inout SimulationPlan) -> Void = { _ in }) throws {
    random = SeededRandom(seed: seed)
    var plan = SimulationPlan(&random)
    change(&plan)
    self.plan = plan
    router = TopicRouter(
      customer: try TopicFilter("c/#", kind: .customer),
      accelerometer: try TopicFilter("a/#", kind: .accelerometer),
      stepTrainer: try TopicFilter("s/#", kind: .stepTrainer))
    let script = plan.script(&random)
    let startMs = (script.first?.atMs ?? 0) - Int64.random(in: 2_000...10_000, using: &random)
    time = VirtualTime(nowMs: startMs)
    let diskSeed = random.next()
    disk = SimulatedDisk(seed: plan.diskSeed ?? diskSeed)
    broker = SimulatedBroker(script: script, time: time, options: plan.rates.broker, seed: random.next())
    spectator = SimulatedProcess(on: disk, suffersFaults: false)
    readers = TableReaders(of: GatewayLife.directory, on: disk)
    settings = plan.settings(plan.world.settings, &random)
    firstSettings = settings
    try writeCustomerFile()
    plantBugs()
  }

  private func plantBugs() {
    disk.ignoresDirectorySyncs = plan.bug == .skipsFolderSyncs
    switch plan.bug {
    case .skipsJournalSyncs: disk.ignoresSyncsOf = [".journal"]
    case .skipsTableSyncs: disk.ignoresSyncsOf = [".ndjson"]
    case .skipsCheckpointSyncs: disk.ignoresSyncsOf = ["/checkpoint/.new"]
    default: break
    }
    disk.whenFaultStrikes = { [unowned self] in struck($0, $1, $2) }
    disk.faults = plan.cuts
  }

  private func writeCustomerFile() throws {
    if plan.customerFile.isEmpty { return }
    try spectator.createDirectories("/input")
    let file = try spectator.openForAppending(GatewayLife.customerPath)
    try file.append(Array(plan.customerFile.map { $0 + "\n" }.joined().utf8))
    try file.sync()
    try spectator.syncDirectory("/input")
  }

  // MARK: The run

  /// Runs to the end and checks everything.
  func run() throws(SimulationFailure) {
    for _ in 0..<plan.lives {
      let end = try live(isLast: false)
      liveNoMore(end)
    }
    calmDown()
    var lastLives = 0
    while try live(isLast: true) != .stopped {
      lastLives += 1
      if lastLives > 50 { throw SimulationFailure(.liveness, "it does not start any more") }
      liveNoMore(.crashed)
    }
    mutationsUntilTheEnd = disk.mutations
    try startOnceMore()
    try check()
  }

  private func live(isLast: Bool) throws(SimulationFailure) -> LifeEnd {
    if !isLast && plan.rates.diskFault > 0 && random.oneIn(3) { planDiskFault(within: 80) }
    coverage.count(.life)
    let life = GatewayLife(of: self, settings, isLast: isLast)
    self.life = life
    note("\(isLast ? "last life" : "life") with \(settings)")
    let end = life.run()
    self.life = nil
    note(
      "\(end) after \(disk.mutations) changes to the disk; the journal was durable to \(history.endPosition)")
    if let failure { throw failure }
    return end
  }

  // The gateway is down for a while, the machine perhaps too.
  private func liveNoMore(_ end: LifeEnd) {
    sessions.lifeEnded(byItself: end == .stopped)
    livesEnded += 1
    if let last = plan.crashes.last {
      let crash = livesEnded <= plan.crashes.count ? plan.crashes[livesEnded - 1] : last
      if crash != .process { machineDies(losingAll: crash == .machineLosingAll) }
    } else if strikes(plan.rates.machineDies) {
      machineDies(losingAll: random.oneIn(3))
    }
    time.advance(byMs: Int64(draw(100...20_000)))
    if strikes(plan.rates.lostSession) { broker.restartWithoutPersistence() }
    if strikes(plan.rates.damagedCheckpoint) { damageCheckpoint() }
    if strikes(plan.rates.clockSet) {
      coverage.count(.clockSet)
      clockErrorMs = plan.stepMs * Int64(draw(-5...5))
    }
    if strikes(plan.newSettings) {
      settings = plan.settings(plan.changedSettings(&random), &random)
      coverage.count(.otherSettings)
    }
  }

  private func machineDies(losingAll: Bool) {
    coverage.count(losingAll ? .machineLostAll : .machineDied)
    note(losingAll ? "the machine dies and loses all" : "the machine dies")
    readers.machineDied()
    disk.crash(losingAll: losingAll)
    attempt { () throws(SimulationFailure) in try checkCheckpoints() }
  }

  private func calmDown() {
    if plan.cuts.isEmpty { disk.faults = [:] }
    disk.readsUntilFailure = nil
    disk.capacityBytes = nil
    broker.options.disconnectsOnceIn = 0
    broker.options.refusesOnceIn = 0
  }

  // The newest, if the gateway can do without it.
  private func damageCheckpoint() {
    let store = CheckpointStore(fileSystem: spectator, dataDirectory: GatewayLife.directory)
    guard let positions = try? store.positions(), let newest = positions.last,
      let start = try? journalStart(fileSystem: spectator, directory: GatewayLife.journalDirectory),
      start == 0 || positions.dropLast().last ?? -1 >= start,
      let content = disk.content("\(store.directory)/\(twentyDigits(newest)).checkpoint"),
      content.bytes.count > 16
    else { return }
    // Not the version: another one is not damage.
    content.damage(at: draw(16...content.bytes.count - 1))
    damagedCheckpoints.insert(newest)
  }

  // MARK: Chance

  func draw(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

  func strikes(_ onceIn: Int) -> Bool { onceIn > 0 && random.oneIn(onceIn) }

  /// Lets something go wrong soon, perhaps.
  func planFaults() {
    let rates = plan.rates
    if disk.faults.isEmpty && strikes(rates.diskFault) { planDiskFault(within: 12) }
    if disk.readsUntilFailure == nil && strikes(rates.readFailure) { disk.readsUntilFailure = draw(0...5) }
    if disk.capacityBytes == nil && strikes(rates.fullDisk) {
      disk.capacityBytes = disk.usedBytes + draw(0...2_000)
      roomReturnsAtMs = time.nowMs + Int64(draw(200...20_000))
    }
  }

  private func planDiskFault(within mutations: Int) {
    disk.faults = [disk.mutations + draw(1...mutations): random.pick(plan.rates.diskFaults)]
  }

  private func struck(_ fault: SimulatedDisk.Fault, _ operation: StorageError.Operation, _ path: String) {
    note("\(fault) strikes: \(operation.rawValue) \(path)")
    let isSync = operation == .sync || operation == .syncDirectory
    switch fault {
    case .crashBefore: coverage.count(.crashBeforeOperation)
    case .crashWithin: coverage.count(.crashWithinOperation)
    case .failure: coverage.count(isSync ? .failedSync : .failedOperation)
    case .readFailure: coverage.count(.failedRead)
    }
  }

  // MARK: What happens meanwhile

  /// Whoever is not the ingest thread works for a while.
  func othersWork(_ engine: SteppedEngine?) {
    if disk.capacityBytes != nil && time.nowMs >= roomReturnsAtMs { disk.capacityBytes = nil }
    if random.oneIn(8) { attempt { () throws(SimulationFailure) in try readers.lookSomewhere(&random) } }
    guard let engine else { return }
    if engine.canPlay && strikes(plan.engineLag) { engine.play() }
    if engine.canWrite && strikes(plan.checkpointLag) { engine.writeCheckpoint() }
  }

  func limitTurns() {
    turns += 1
    if turns > Self.turnLimit { fail(SimulationFailure(.liveness, "\(turns) turns, at \(time.nowMs) ms")) }
  }

  /// Ends the run.
  func fail(_ failure: SimulationFailure) {
    self.failure = self.failure ?? failure
    life?.kill()
  }

  private func attempt(_ body: () throws(SimulationFailure) -> Void) {
    do { try body() } catch { fail(error) }
  }

  // MARK: What the gateway tells

  var wallMs: Int64 { time.nowMs + clockErrorMs }

  func note(_ what: @autoclosure () -> String) { tell?("\(time.nowMs) \(what())") }

  func recoveryTold(_ event: RecoveryEvent) {
    note("\(event)")
    switch event {
    case .journalWasTorn: coverage.count(.tornJournal)
    case .playing: coverage.count(.journalPlayed)
    case .played: break
    case .table(_, let finding): repaired(finding)
    case .badCheckpoint(let error, _):
      coverage.count(.damagedCheckpoint)
      if !damagedCheckpoints.contains(where: { "\(error)".contains(twentyDigits($0)) }) {
        fail(SimulationFailure(.start, "\(error)"))
      }
    case .unexplainedRows(let table, let rows):
      fail(SimulationFailure(.start, "\(table.name) has \(rows) rows that the journal does not account for"))
    }
  }

  // The end of a last write may be torn, also that of a file of checksums. All else was durable.
  private func repaired(_ finding: RecoveryFinding) {
    coverage.count(.tableRepaired)
    switch finding.outcome {
    case .cut, .writtenAgain: return
    case .setAside where finding.path.hasSuffix(".checksums"): return
    case .setAside, .rowsMissing, .leftInPlace: fail(SimulationFailure(.start, "\(finding)"))
    }
  }

  func recovered(_ recovered: Recovered) {
    if recovered.checkpointPosition > 0 { coverage.count(.checkpointUsed) }
    readers.start()
  }

  /// Reads what is durable in the journal by now.
  func readJournal() {
    attempt { () throws(SimulationFailure) in
      try history.read(spectator, GatewayLife.journalDirectory)
      try countSessions()
    }
  }

  /// A batch is durable, says the gateway.
  func submitted(_ entries: EntryBuffer) {
    attempt { () throws(SimulationFailure) in
      try history.take(entries)
      for entry in entries { note("journaled \(entry.kind) \(entry.packetID) at \(entry.position ?? 0)") }
      try countSessions()
    }
  }

  func sessionBegan() { sessions.begun += 1 }

  private func countSessions() throws(SimulationFailure) {
    let unnoticed = try sessions.compare(history)
    coverage.count(.unnoticedSession, unnoticed)
    broker.isSessionUnnoticed = sessions.lastWasUnnoticed
  }
}

extension Simulation: IngestObserver {
  func roomChanged(isLow: Bool, freeBytes: Int, minFreeBytes: Int) {
    note("room is low: \(isLow)")
    if isLow { coverage.count(.lowRoom) }
  }
  func connectFailed(_ reason: MosquittoError, retryInMs: Int) { coverage.count(.refusal) }
  func disconnected(_ reason: MosquittoError?) {
    note("disconnected: \(reason.map { "\($0)" } ?? "asked for")")
    if reason != nil { coverage.count(.disconnect) }
  }
  func subscribed(sessionPresent: Bool, isComplete: Bool) {
    note("subscribed, session present: \(sessionPresent)")
  }
  func subscriptionRefused(_ filter: String, reasonCode: UInt8) {}
  func sessionLost(fromMs: Int64, toMs: Int64) {}
  func wokenUp() {}
  func secondPassed() {}
}
