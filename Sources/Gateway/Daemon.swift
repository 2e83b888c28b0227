// The daemon: opens what it owns in the right order, runs until it is told to stop, closes it again.
//
// Invariants:
// - The data folder is locked before anything in it is opened, so that two gateways never write to it.
// - No message is read before the library is known to withhold acknowledgements, the journal is played
//   and the customer files are loaded.
// - Stopping loses nothing: what was read is durable and judged, the session stays with the broker.

import Ingest
import Journal
import Logging
import Mosquitto
import Pipeline
import Records
import SegmentLog
import Storage

/// A gateway that runs until it is told to stop.
public final class Daemon {
  private let settings: Settings
  private let log: Logger
  private let fileSystem = LocalFileSystem()
  private let lock: any FileLock
  private let journal: JournalWriter
  private let player: EntryPlayer
  private let router: TopicRouter
  private var redeliveries = RedeliveryFilter()

  /// Opens the data folder, plays the journal and loads the customer files.
  /// - Throws: what keeps the gateway from starting, with the setting to look at.
  public init(_ settings: Settings, log: Logger) throws(DaemonError) {
    self.settings = settings
    self.log = log
    try attempt { () throws(MosquittoError) in try AcknowledgementCheck.run() }
    let topics = settings.topics
    router = try attempt(.configuration, naming: "topics") { () throws(TopicFilterError) in
      try TopicRouter(topics)
    }
    let directory = settings.storage.directory
    let fileSystem = fileSystem
    lock = try attempt(naming: "storage.directory") { () throws(StorageError) in
      try fileSystem.createDirectories(directory)
      return try fileSystem.lock("\(directory)/lock")
    }
    journal = try attempt(naming: "storage.directory") { () throws(JournalError) in
      try JournalWriter(fileSystem: fileSystem, directory: "\(directory)/journal")
    }
    let engine = try attempt(naming: "storage.directory") { () throws(SegmentLogError) in
      try Engine(
        settings: EngineSettings(settings), fileSystem: fileSystem, dataDirectory: directory, recovers: true)
    }
    player = EntryPlayer(engine: engine, router: router) { text in
      PlayerSettings(json: text, storage: settings.storage)
    }
    try recover()
    try recordSettings()
    try loadCustomers()
  }

  // MARK: Starting

  // The engine's state is a function of the journal: playing it makes the rows that are in the tables
  // already, and those that a crash kept from getting there.
  private func recover() throws(DaemonError) {
    if let torn = journal.openReport.tornTail {
      log.warning(
        "the last write to \(torn.path) was torn at byte \(torn.byte); \(torn.bytes) bytes of it, never acknowledged, were cut off"
      )
    }
    let directory = "\(settings.storage.directory)/journal"
    let (fileSystem, player) = (fileSystem, player)
    let entries = EntryBuffer()
    let reader = try attempt { () throws(JournalError) in
      try JournalReader(fileSystem: fileSystem, directory: directory)
    }
    let journalBytes = journal.endPosition
    if journalBytes > 0 { log.info("playing the journal, \(journalBytes) bytes") }
    let readNext = { () throws(JournalError) in try reader.read(into: entries) }
    while try attempt(.inputOutput, naming: nil, readNext) {
      try attempt { () throws(PlayError) in try player.play(entries) }
      redeliveries.remember(entries)
    }
    let unexplained = try attempt { () throws(StorageError) in try player.engine.endRecovery() }
    for (table, rows) in unexplained {
      log.warning("\(table.name) has \(rows) rows that the journal does not account for; they stay")
    }
  }

  // From here on these settings hold, also for whoever plays the journal later.
  private func recordSettings() throws(DaemonError) {
    let entries = EntryBuffer()
    var json = settings.resultSettingsJSON
    json.withUTF8 { text in
      entries.append(
        kind: .settings, arrivalMs: wallClockMs(), topic: UnsafeRawBufferPointer(start: nil, count: 0),
        payload: UnsafeRawBufferPointer(text))
    }
    let (journal, player) = (journal, player)
    try attempt(naming: "storage.directory") { () throws(StorageError) in
      try journal.append(entries)
      try journal.sync()
    }
    try attempt { () throws(PlayError) in try player.play(entries) }
  }

  private func loadCustomers() throws(DaemonError) {
    guard let path = settings.customers.path else { return }
    let (player, journal, fileSystem) = (player, journal, fileSystem)
    let maxRecordBytes = Int(settings.limits.maxMessageBytes)
    let before = player.engine.counts.received(.customer)
    try attempt(naming: "customers.path") { () throws(CustomerFileError) in
      try player.loadCustomers(
        path: path, maxRecordBytes: maxRecordBytes, fileSystem: fileSystem, journal: journal,
        arrivalMs: wallClockMs())
    }
    let loaded = player.engine.counts.received(.customer) - before
    log.info("loaded \(loaded) customer records from \(path)")
  }

  // MARK: Running

  /// Takes messages until the process is told to stop, and closes everything.
  /// - Returns: what the pipeline did.
  public func run(until signals: Signals) throws(DaemonError) -> PipelineStatus {
    let options = try clientOptions()
    let client = try attempt { () throws(MosquittoError) in try Client(options) }
    let wakeUp = signals.wakeUp
    let engine = EngineThread(player: player) { wakeUp.signal() }
    let reporter = ConnectionReporter(
      settings, log: log, countsRequested: { signals.takeCountsRequest() }, status: { engine.status })
    let ingest = IngestOptions(
      subscriptions: router.subscriptions, maxMessageBytes: Int(settings.limits.maxMessageBytes))
    let loop = IngestLoop(
      client: client, options: ingest, journal: journal, redeliveries: redeliveries, engine: engine,
      wakeUp: wakeUp, observer: reporter, isStopping: { signals.stopRequested })
    reporter.starting()
    engine.start()
    // The engine finishes what is durable however the loop ended.
    let ended = Result { () throws(IngestError) in try loop.run() }
    try attempt { () throws(PlayError) in try engine.stop() }
    try attempt { () throws(IngestError) in try ended.get() }
    reporter.counts(engine.status)
    if loop.redelivered > 0 {
      log.info("the broker sent \(loop.redelivered) messages again that were in the journal already")
    }
    log.info("stopped; the broker keeps the session for \(settings.mqtt.sessionExpiryMs / 1000) s")
    return engine.status
  }

  private func clientOptions() throws(DaemonError) -> ConnectOptions {
    let mqtt = settings.mqtt
    var options = ConnectOptions(host: mqtt.host, port: UInt16(mqtt.port), clientID: mqtt.clientID)
    options.username = mqtt.username
    options.password = try attempt(.configuration) { () throws(SettingsError) in
      try mqtt.readPassword().map { Secret($0) }
    }
    // While it connects the loop stands still, also for a signal to stop.
    options.connectTimeoutMs = 3_000
    options.keepaliveSeconds = UInt16(mqtt.keepaliveMs / 1000)
    options.sessionExpirySeconds = UInt32(clamping: mqtt.sessionExpiryMs / 1000)
    options.receiveMaximum = UInt16(mqtt.receiveMaximum)
    options.tls = mqtt.tls.caFile.map { caFile in
      TLSOptions(caFile: caFile, certificateFile: mqtt.tls.certificateFile, keyFile: mqtt.tls.keyFile)
    }
    return options
  }
}
