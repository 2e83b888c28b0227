// What a seed decides before a run begins: the world, the settings, and which faults there are how often.
//
// Each run has some kinds of faults and is spared others, so that no kind hides another (Groce et al., "Swarm
// Testing", 2012).

import Journal
import Playback
import TestSupport

/// How often what goes wrong; once in so many turns of the ingest loop, unless said otherwise. 0 is never.
struct FaultRates {
  /// The process dies between two operations.
  var crash = 0
  /// An operation on the disk fails, or the process dies before it or in it.
  var diskFault = 0
  var diskFaults: [SimulatedDisk.Fault] = [.crashBefore, .crashWithin, .failure]
  var readFailure = 0
  /// The disk is full for a while.
  var fullDisk = 0
  /// Of the gateway's ends, not of turns: the machine dies too.
  var machineDies = 0
  /// Of the gateway's starts: the newest checkpoint was damaged while it was down.
  var damagedCheckpoint = 0
  /// Of the gateway's starts: the broker lost its session while it was down.
  var lostSession = 0
  /// Of the gateway's starts: it is told to stop before it has recovered.
  var earlyStop = 0
  /// Of the gateway's starts: the clock was set to another time.
  var clockSet = 0
  /// The longest that a sync takes, in virtual milliseconds.
  var syncMs = 0
  var broker = SimulatedBroker.Options()

  static let none = FaultRates()
}

/// A bug that a test plants, to see whether the simulation notices.
enum PlantedBug: String, CaseIterable {
  /// Acknowledgements leave when a message is read.
  case acknowledgesAtOnce
  /// Folders are not synced.
  case skipsFolderSyncs
  /// The journal is not synced.
  case skipsJournalSyncs
  /// Tables are not synced before a checkpoint counts on their rows.
  case skipsTableSyncs
  /// A checkpoint gets its name without being synced.
  case skipsCheckpointSyncs
  /// Checkpoints say that a table has no rows.
  case forgetsTablePosition
  /// After a restart the redelivery filter knows no message.
  case forgetsRedeliveries
  /// Settings are not journaled.
  case forgetsSettings
}

/// What dies.
enum Crash: CaseIterable {
  case process
  case machine
  /// With the disk losing all that was not synced.
  case machineLosingAll
}

/// A run, as far as it is decided beforehand.
struct SimulationPlan {
  var world: World
  var customerFile: [String] = []
  /// How many lives the gateway has before the last, undisturbed one.
  var lives: Int
  var turnsInALife = 20...150
  var rates = FaultRates()
  var minFreeBytes = 0
  var journal = JournalOptions()
  var checkpoints = CheckpointOptions.seldom
  /// The engine plays a batch once in so many chances.
  var engineLag = 1
  var checkpointLag = 1
  /// Once in so many restarts the settings are others.
  var newSettings = 0
  var stepMs: Int64
  var bug: PlantedBug?
  /// What dies at the end of each life, the last for all further ones; empty draws it.
  var crashes: [Crash] = []
  /// The turn of each life but the last in which the process dies, whatever else happens.
  var killedAtTurn: Int?
  /// Decides what a dead machine's disk keeps; nil draws it.
  var diskSeed: UInt64?
  /// The faults of a run without others, by the numbers of the operations on the disk.
  var cuts: [Int: SimulatedDisk.Fault] = [:]

  /// Draws all of it.
  init(_ random: inout SeededRandom) {
    var maker = WorldMaker(seed: random.next())
    stepMs = random.pick([50, 100, 300, 1000])
    maker.stepMs = stepMs
    world = maker.live()
    // Many small runs strike more often, large ones where more has come together.
    let isLarge = random.oneIn(4)
    if !isLarge { world.messages.removeLast(max(0, world.messages.count - 60)) }
    lives = Int.random(in: 1...(isLarge ? 6 : 3), using: &random)
    if random.oneIn(4) { turnsInALife = 1...40 }
    journal = JournalOptions(segmentBytes: random.pick([200, 600, 2_000, 10_000]))
    checkpoints = CheckpointOptions(
      intervalMs: random.pick([2_000, 5_000, 20_000, 60_000]),
      journalBytes: random.pick([300, 500, 1_500, 5_000]))
    engineLag = random.pick([1, 1, 2, 6, 20])
    checkpointLag = random.pick([1, 2, 6, 20])
    newSettings = random.pick([0, 1, 2])
    if random.oneIn(4) { customerFile = customers(&random) }
    minFreeBytes = random.pick([0, 0, 3_000])
    rates = Self.rates(&random)
  }

  private static func rates(_ random: inout SeededRandom) -> FaultRates {
    var rates = FaultRates()
    rates.crash = random.pick([0, 20, 100])
    rates.diskFault = random.pick([0, 10, 40])
    let faults: [[SimulatedDisk.Fault]] = [
      [.crashBefore, .crashWithin], [.failure], [.crashBefore, .crashWithin, .failure],
    ]
    rates.diskFaults = random.pick(faults)
    rates.readFailure = random.pick([0, 0, 100])
    rates.fullDisk = random.pick([0, 0, 20, 60])
    rates.machineDies = random.pick([0, 1, 2, 3])
    rates.damagedCheckpoint = random.pick([0, 0, 3])
    rates.lostSession = random.pick([0, 0, 5])
    rates.earlyStop = random.pick([0, 10])
    rates.clockSet = random.pick([0, 0, 3])
    rates.syncMs = random.pick([0, 5, 300])
    rates.broker.receiveMaximum = random.pick([1, 3, 10, 50])
    rates.broker.disconnectsOnceIn = random.pick([0, 15, 60])
    rates.broker.losesSessionOnceIn = random.pick([0, 0, 2, 8])
    rates.broker.refusesOnceIn = random.pick([0, 2, 5])
    rates.broker.firstPacketID = random.pick([1, 1, 65_520])
    return rates
  }

  // Some of the customers are in a file besides, which each start loads.
  private func customers(_ random: inout SeededRandom) -> [String] {
    world.messages.filter { message in
      message.kind == "customer" && !message.records.contains { $0.record.isMalformed } && random.oneIn(3)
    }.flatMap { $0.records.map(\.text) }
  }

  // MARK: Drawn by the run

  /// The messages as they are published. There are two topics of each kind, so that two devices may say the same.
  func script(_ random: inout SeededRandom) -> [ScriptedMessage] {
    world.messages.map { message in
      let kind = message.kind.prefix(1)
      return ScriptedMessage(
        topic: "\(kind)/\(Int.random(in: 1...2, using: &random))", payload: Array(message.payload.utf8),
        atMs: message.arrivalMs)
    }
  }

  /// Settings for the results, and others that decide about files.
  func settings(_ results: OracleSettings, _ random: inout SeededRandom) -> GatewaySettings {
    var settings = GatewaySettings(results)
    settings.landing = random.oneIn(3)
    settings.layout.segmentBytes = random.pick([200, 600, 2_000, 1 << 20])
    settings.layout.segmentAgeMs = random.pick([nil, nil, stepMs * 10, stepMs * 40])
    return settings
  }

  /// Other settings for the results.
  func changedSettings(_ random: inout SeededRandom) -> OracleSettings {
    var maker = WorldMaker(seed: random.next())
    maker.stepMs = stepMs
    return maker.liveSettings()
  }
}
