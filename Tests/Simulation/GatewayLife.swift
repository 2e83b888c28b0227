// One life of the simulated gateway, from its start to its end, in the order of Daemon.swift and with all of
// its parts but the threads, the disk, the broker and the clock.
//
// What is not the ingest thread's (the engine, the checkpoints, the readers) works in between: whenever the ingest
// thread or the disk waits.

import Glibc
import Journal
import Mosquitto
import Pipeline
import Storage
import TestSupport
import Threads

@testable import Ingest
@testable import Playback

extension SimulatedConnection: BrokerConnection {}

/// How a life ended.
enum LifeEnd: Equatable {
  /// It was told to stop, and did.
  case stopped
  case crashed
  /// It gave up, as it has to after an error of the disk.
  case gaveUp
}

/// A process of the gateway.
// One thread runs the whole simulation.
final class GatewayLife: @unchecked Sendable {
  static let directory = "/data"
  static let journalDirectory = "/data/journal"
  static let customerPath = "/input/customers.ndjson"

  private unowned let simulation: Simulation
  private let settings: GatewaySettings
  private let isLast: Bool
  private let mayFail: Bool
  private let plannedTurns: Int
  private let startMs: Int64
  private let process: SimulatedProcess
  private let connection: SimulatedConnection
  private var engine: SteppedEngine?
  private var isStopRequested = false
  private var turns = 0
  private var hasRecovered = false

  init(of simulation: Simulation, _ settings: GatewaySettings, isLast: Bool) {
    self.simulation = simulation
    self.settings = settings
    self.isLast = isLast
    mayFail = !isLast || !simulation.plan.cuts.isEmpty
    plannedTurns = isLast ? .max : Int.random(in: simulation.plan.turnsInALife, using: &simulation.random)
    startMs = simulation.time.nowMs
    process = SimulatedProcess(on: simulation.disk)
    connection = SimulatedConnection(to: simulation.broker)
    connection.acknowledgesAtOnce = simulation.plan.bug == .acknowledgesAtOnce
  }

  private var plan: SimulationPlan { simulation.plan }

  // MARK: From start to end

  /// Lives. Whatever happens, nothing of it is left afterwards but what is on the disk.
  func run() -> LifeEnd {
    if !isLast && simulation.strikes(plan.rates.earlyStop) { isStopRequested = true }
    simulation.disk.whileSyncing = { [self] in whileSyncing() }
    connection.whileWaiting = { [self] in turn() }
    connection.whenSessionBegins = { [self] in simulation.sessionBegan() }
    let outcome = Result { try live() }
    let isDead = process.isDead
    simulation.disk.whileSyncing = {}
    connection.whileWaiting = {}
    connection.whenSessionBegins = {}
    connection.die()
    process.kill()
    simulation.coverage.count(.checkpointWritten, engine?.checkpointsWritten ?? 0)
    // Its closures hold this life, and a life holds megabytes.
    engine = nil
    if isDead {
      if !hasRecovered { simulation.coverage.count(.crashInRecovery) }
      return .crashed
    }
    switch outcome {
    case .success: return .stopped
    case .failure(let error):
      simulation.note("\(error)")
      if !isOfTheDisk(error) { simulation.fail(SimulationFailure(.start, "\(error)")) }
      return .gaveUp
    }
  }

  // Only what was done to the disk on purpose may end a life.
  private func isOfTheDisk(_ error: any Error) -> Bool {
    guard let code = storageError(in: error)?.code else { return false }
    return (code == EIO && mayFail) || (code == ENOSPC && isStopRequested)
  }

  private func live() throws {
    let waiting = self
    let fileSystem = PatientFileSystem(process) { _ in waiting.waitForSpace() }
    try fileSystem.createDirectories(Self.directory)
    let lock = try fileSystem.lock("\(Self.directory)/lock")
    defer { lock.unlock() }
    guard let recovered = try recovery(fileSystem).run() else {
      simulation.coverage.count(.earlyStop)
      return
    }
    hasRecovered = true
    simulation.recovered(recovered)
    try recordSettings(recovered)
    try loadCustomers(recovered, fileSystem)
    simulation.readJournal()
    try ingest(recovered, fileSystem)
    simulation.coverage.count(.cleanStop)
    simulation.lastCounts = recovered.player.engine.counts
  }

  private func recovery(_ fileSystem: any FileSystem) -> Recovery {
    Recovery(
      fileSystem: fileSystem, dataDirectory: Self.directory, initial: settings.player(simulation.router),
      journalOptions: plan.journal,
      readSettings: GatewaySettings.reader(simulation.router, settings.layout),
      readsAhead: false, isStopping: { self.isStopRequested }, tell: { self.simulation.recoveryTold($0) })
  }

  private func recordSettings(_ recovered: Recovered) throws {
    guard settings.text != recovered.player.settingsText, plan.bug != .forgetsSettings else { return }
    let entries = EntryBuffer(capacityBytes: 1024)
    settings.text.withUnsafeBytes { text in
      entries.append(
        kind: .settings, arrivalMs: simulation.wallMs, topic: UnsafeRawBufferPointer(start: nil, count: 0),
        payload: text)
    }
    try recovered.journal.append(entries)
    try recovered.journal.sync()
    try recovered.player.play(entries)
  }

  private func loadCustomers(_ recovered: Recovered, _ fileSystem: any FileSystem) throws {
    if plan.customerFile.isEmpty { return }
    try recovered.player.loadCustomers(
      path: Self.customerPath, maxRecordBytes: 1 << 20, fileSystem: fileSystem, journal: recovered.journal,
      arrivalMs: simulation.wallMs)
    simulation.coverage.count(.customerFile)
  }

  private func ingest(_ recovered: Recovered, _ fileSystem: any FileSystem) throws {
    if plan.bug == .forgetsRedeliveries { simulation.forgetRedeliveries(recovered) }
    let engine = SteppedEngine(
      recovered.player, CheckpointStore(fileSystem: fileSystem, dataDirectory: Self.directory))
    self.engine = engine
    engine.whenSubmitted = { [self] in simulation.submitted($0.entries) }
    engine.whileBehind = { [self] in whileBehind($0) }
    if plan.bug == .forgetsTablePosition { engine.spoil = { $0.withoutTablePosition() } }
    let limits = IngestLimits(
      maxMessageBytes: 1 << 20, minFreeBytes: isLast ? 0 : plan.minFreeBytes, checkpoints: plan.checkpoints)
    let room = RoomWatch(
      fileSystem: fileSystem, directory: Self.directory, minFreeBytes: limits.minFreeBytes)
    let loop = IngestLoop(
      connection: connection, subscriptions: simulation.router.subscriptions, limits: limits,
      recovered: recovered, engine: engine, room: room,
      clock: SimulatedClock(simulation), jitter: { [self] in simulation.draw($0) },
      wakeUp: simulation.wakeUp, observer: simulation, isStopping: { [self] in isStopRequested })
    let ended = Result { () throws(IngestError) in try loop.run() }
    simulation.coverage.count(.redeliveryDropped, loop.counts.redelivered)
    let redeliveries = (try? ended.get()) == nil ? nil : loop.redeliveries
    try engine.stop(checkpoint: redeliveries)
    try ended.get()
  }

  /// Ends it as `kill -9` does.
  func kill() { process.kill() }

  private func noteDeath() {
    guard process.isDead else { return }
    connection.die()
    engine?.fail(.checkpoint(process.error(.write, Self.directory, SimulatedDisk.deadCode)))
  }

  // MARK: Between two operations

  // The ingest thread has nothing to do, or waits for the network.
  private func turn() {
    turns += 1
    simulation.limitTurns()
    simulation.othersWork(engine)
    if !isLast {
      simulation.planFaults()
      if turns == plan.killedAtTurn || simulation.strikes(plan.rates.crash) {
        simulation.coverage.count(.crashBetweenOperations)
        process.kill()
      }
    }
    if isLast ? simulation.broker.isDrained : turns >= plannedTurns { isStopRequested = true }
    noteDeath()
  }

  private func whileSyncing() {
    simulation.time.advance(byMs: Int64(simulation.draw(0...plan.rates.syncMs)))
    simulation.othersWork(engine)
  }

  private func whileBehind(_ timeoutMs: Int) {
    simulation.coverage.count(.engineBehind)
    simulation.time.advance(byMs: Int64(simulation.draw(1...timeoutMs)))
    simulation.limitTurns()
    simulation.othersWork(engine)
    noteDeath()
  }

  private func waitForSpace() -> Bool {
    simulation.coverage.count(.noSpace)
    simulation.time.advance(byMs: 250)
    simulation.limitTurns()
    simulation.othersWork(engine)
    if !isLast && simulation.strikes(50) { isStopRequested = true }
    if isStopRequested { simulation.coverage.count(.gaveUpWaiting) }
    return !isStopRequested
  }
}

/// The clocks of a gateway in virtual time.
private struct SimulatedClock: IngestClock {
  private unowned let simulation: Simulation
  private let startMs: Int64

  init(_ simulation: Simulation) {
    self.simulation = simulation
    startMs = simulation.time.nowMs
  }

  var wallMs: Int64 { simulation.wallMs }
  var monotonicMs: Int { Int(simulation.time.nowMs - startMs) }
}
