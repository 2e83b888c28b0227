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
  let settings: Settings
  let log: Logger
  let signals: Signals
  let fileSystem: any FileSystem
  let router: TopicRouter
  let board: StatusBoard
  private let lock: any FileLock

  /// Takes the data folder.
  /// - Throws: what keeps the gateway from starting, with the setting to look at.
  public init(_ settings: Settings, log: Logger, signals: Signals) throws(DaemonError) {
    self.settings = settings
    self.log = log
    self.signals = signals
    let patience = DiskPatience(log: log, isStopping: { signals.stopRequested })
    let fileSystem = PatientFileSystem(LocalFileSystem()) { patience.waitForSpace($0) }
    self.fileSystem = fileSystem
    try attempt { () throws(MosquittoError) in try AcknowledgementCheck.run() }
    let topics = settings.topics
    router = try attempt(.configuration, naming: "topics") { () throws(TopicFilterError) in
      try TopicRouter(topics)
    }
    let directory = settings.storage.directory
    board = StatusBoard(settings, fileSystem: fileSystem)
    lock = try attempt(naming: "storage.directory") { () throws(StorageError) in
      try fileSystem.createDirectories(directory)
      return try fileSystem.lock("\(directory)/lock")
    }
  }

  /// Recovers, takes messages until the process is told to stop, and closes everything.
  /// - Returns: what the pipeline did.
  public func run() throws(DaemonError) -> PipelineStatus {
    let server = try startServer()
    defer { server?.stop() }
    board.enter(.recovering)
    guard let recovered = try recover() else {
      log.info("stopped while playing the journal; the next start begins with it again")
      return PipelineStatus()
    }
    try recordSettings(recovered)
    try loadCustomers(recovered)
    return try ingest(recovered)
  }

  private func ingest(_ recovered: Recovered) throws(DaemonError) -> PipelineStatus {
    let options = try clientOptions()
    let client = try attempt { () throws(MosquittoError) in try Client(options) }
    let (wakeUp, signals) = (signals.wakeUp, signals)
    let directory = settings.storage.directory
    let engine = EngineThread(
      player: recovered.player,
      checkpoints: CheckpointStore(fileSystem: fileSystem, dataDirectory: directory),
      onFailure: { wakeUp.signal() })
    let reporter = ConnectionReporter(
      settings, log: log, countsRequested: { signals.takeCountsRequest() }, status: { engine.status })
    let room = RoomWatch(
      fileSystem: fileSystem, directory: directory, minFreeBytes: Int(settings.storage.minFreeBytes))
    let loop = IngestLoop(
      connection: client, options: ingestOptions(), recovered: recovered, engine: engine, room: room,
      wakeUp: wakeUp, observer: reporter, isStopping: { signals.stopRequested })
    reporter.starting()
    board.watch(engine, loop.published, checkpointPosition: recovered.checkpointPosition)
    engine.start()
    // The engine finishes what is durable however the loop ended.
    let ended = Result { () throws(IngestError) in try loop.run() }
    board.enter(.stopping)
    let redeliveries = (try? ended.get()) == nil ? nil : loop.redeliveries
    try attempt { () throws(PlayError) in try engine.stop(checkpoint: redeliveries) }
    try attempt { () throws(IngestError) in try ended.get() }
    reporter.stopped(engine.status, loop.counts)
    return engine.status
  }

  // Before anything else is done, so that a port in use is told at once, and a long recovery can be watched.
  private func startServer() throws(DaemonError) -> StatusServer? {
    guard settings.http.isEnabled else { return nil }
    let server = try attempt(naming: "http.listen") { () throws(ListenError) in
      try StatusServer(settings.http.listen, board: board, log: log)
    }
    log.info("status page at http://\(server.address)/")
    return server
  }

  private func ingestOptions() -> IngestOptions {
    var options = IngestOptions(
      subscriptions: router.subscriptions, maxMessageBytes: Int(settings.limits.maxMessageBytes))
    options.checkpoints = CheckpointOptions(
      intervalMs: Int(settings.checkpoint.intervalMs), journalBytes: Int(settings.checkpoint.journalBytes))
    return options
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
