// What is checked at the end of a run.

import Journal
import Pipeline
import Playback
import Records
import SegmentLog
import Storage
import TestSupport

extension Simulation {
  func check() throws(SimulationFailure) {
    try checkDelivery()
    try checkRows()
    try checkBytes()
    try checkReaders()
    try checkDisk()
    coverage.count(.journaledMessage, history.entries.count { $0.kind == .message })
    coverage.count(.changeOfDisk, mutationsUntilTheEnd)
    coverage.count(.lostSession, broker.sessionsLost)
    coverage.count(.redelivery, broker.redeliveries)
    coverage.count(.readerContinued, readers.continued)
  }

  /// A start after a clean stop has nothing to do, and knows all.
  func startOnceMore() throws(SimulationFailure) {
    var played = false
    let recovery = Recovery(
      fileSystem: spectator, dataDirectory: GatewayLife.directory, initial: firstSettings.player(router),
      journalOptions: plan.journal,
      readSettings: GatewaySettings.reader(router, firstSettings.layout),
      readsAhead: false, tell: { event in if case .playing = event { played = true } })
    do {
      let recovered = try recovery.run()
      guard !played, let recovered, recovered.player.position == history.endPosition else {
        throw SimulationFailure(.start, "there was something to play after a clean stop")
      }
      guard recovered.player.engine.counts == lastCounts else {
        throw SimulationFailure(.verdicts, "the last checkpoint has other verdicts than the gateway")
      }
      try recovered.player.engine.tables.close()
    } catch let failure as SimulationFailure { throw failure } catch {
      throw SimulationFailure(.start, "\(error)")
    }
  }

  // MARK: Messages

  private func checkDelivery() throws(SimulationFailure) {
    let check = DeliveryCheck(
      script: broker.script.map { said($0.topic, $0.payload) },
      isOptional: broker.script.indices.map { broker.fates[$0] == .lost || broker.mayBeMistaken($0) })
    let journaled = history.entries.filter { $0.kind == .message }.map { said($0.topic, $0.payload) }
    if let failure = check.failure(of: journaled) { throw failure }
  }

  private func said(_ topic: String, _ payload: [UInt8]) -> [UInt8] { Array(topic.utf8) + [0] + payload }

  // MARK: Tables

  private func checkRows() throws(SimulationFailure) {
    var expected = ExpectedTables(plan, firstSettings)
    for entry in history.entries { try expected.take(entry) }
    for table in Table.allCases {
      let found = String(decoding: try bytes(of: table), as: UTF8.self).split(separator: "\n").map(
        String.init)
      let rows = expected.rows(table)
      if found.sorted() == rows { continue }
      let difference = found.sorted().difference(from: rows).prefix(3).map { "\($0)" }
      throw SimulationFailure(.rows, "\(table.name): \(difference.joined(separator: "\n"))")
    }
    coverage.count(.gapRow, expected.rows(.gaps).count)
    coverage.count(.pair, expected.rows(.machineLearningCurated).count)
    guard let counts = lastCounts, counts.balance, counts.held == expected.held,
      verdicts(counts) == expected.verdicts
    else {
      throw SimulationFailure(
        .verdicts, "\(lastCounts.map(verdicts) ?? [:]), expected \(expected.verdicts), held \(expected.held)")
    }
  }

  private func verdicts(_ counts: VerdictCounts) -> [String: [String: Int]] {
    var verdicts: [String: [String: Int]] = [:]
    for kind in RecordKind.allCases {
      for verdict in Verdict.allCases where counts[kind, verdict] > 0 {
        verdicts[kind.name, default: [:]][verdict.name] = counts[kind, verdict]
      }
    }
    return verdicts
  }

  // A gateway to which nothing ever happened writes the same, byte for byte.
  private func checkBytes() throws(SimulationFailure) {
    do {
      let fileSystem = MemoryFileSystem()
      let player = EntryPlayer(
        engine: try Engine(
          settings: EngineSettings(firstSettings), fileSystem: fileSystem,
          dataDirectory: GatewayLife.directory),
        router: router, readSettings: GatewaySettings.reader(router, firstSettings.layout))
      for batch in history.batches(&random) { try player.play(batch) }
      for table in Table.allCases where try segments(of: table, fileSystem) != bytes(of: table) {
        throw SimulationFailure(.bytes, "\(table.name) is not what one gateway would have written")
      }
    } catch let failure as SimulationFailure { throw failure } catch {
      throw SimulationFailure(.bytes, "\(error)")
    }
  }

  func bytes(of table: Table) throws(SimulationFailure) -> [UInt8] {
    do { return try segments(of: table, spectator) } catch {
      throw SimulationFailure(.verification, "\(error)")
    }
  }

  private func segments(of table: Table, _ fileSystem: any FileSystem) throws(StorageError) -> [UInt8] {
    let directory = table.directory(in: GatewayLife.directory)
    let names: [String]
    do { names = try fileSystem.list(directory) } catch {
      if error.isNotFound { return [] }
      throw error
    }
    var bytes: [UInt8] = []
    for name in names where name.first?.isNumber == true && name.hasSuffix(".ndjson") {
      bytes += try fileSystem.readFile("\(directory)/\(name)")
    }
    return bytes
  }

  private func checkReaders() throws(SimulationFailure) {
    try readers.readToEnd()
    for table in Table.allCases where readers.seen(table) != (try bytes(of: table)) {
      throw SimulationFailure(.readers, "the reader of \(table.name) saw other rows than it has")
    }
  }

  // MARK: The disk

  /// No checkpoint is there, or there again, whose journal is gone. Holds whenever the machine dies.
  func checkCheckpoints() throws(SimulationFailure) {
    if plan.bug == .skipsFolderSyncs { return }
    do {
      let store = CheckpointStore(fileSystem: spectator, dataDirectory: GatewayLife.directory)
      let start = try journalStart(fileSystem: spectator, directory: GatewayLife.journalDirectory)
      guard let oldest = try store.positions().first, oldest < start else { return }
      throw SimulationFailure(.verification, "a checkpoint at \(oldest), the journal begins at \(start)")
    } catch let failure as SimulationFailure { throw failure } catch {
      throw SimulationFailure(.verification, "\(error)")
    }
  }

  private func checkDisk() throws(SimulationFailure) {
    if let violation = disk.violations.first { throw SimulationFailure(.appendOnly, violation) }
    do {
      for table in Table.allCases {
        let directory = table.directory(in: GatewayLife.directory)
        if disk.folder(directory) == nil { continue }
        let report = try verifyTable(fileSystem: spectator, directory: directory)
        if let problem = report.problems.first { throw SimulationFailure(.verification, "\(problem)") }
        if report.segments > 1 { coverage.count(.segmentSealed) }
      }
      let journal = try verifyJournal(fileSystem: spectator, directory: GatewayLife.journalDirectory)
      if let problem = journal.problems.first { throw SimulationFailure(.verification, "\(problem)") }
      if journal.startPosition > 0 { coverage.count(.journalTrimmed) }
      let checkpoints = try verifyCheckpoints(fileSystem: spectator, dataDirectory: GatewayLife.directory)
      if let problem = (checkpoints.problems + checkpoints.notes).first {
        throw SimulationFailure(.verification, problem)
      }
    } catch let failure as SimulationFailure { throw failure } catch {
      throw SimulationFailure(.verification, "\(error)")
    }
  }
}
