// The daemon: opens what it owns in the right order, runs until it is told to stop, closes it again.
//
// Invariants:
// - The data folder is locked before anything in it is opened, so that two gateways never write to it.
// - No message is read before the library is known to withhold acknowledgements, the journal is played
//   and the customer files are loaded.
// - Stopping loses nothing: what was read is durable and judged, the session stays with the broker.

public import FoundationEssentials
import Ingest
import Journal
import Logging
import Mosquitto
import Pipeline
import Playback
import Records
import SegmentLog
import Service
import Settings
import Storage
import Threads

/// A gateway that runs until it is told to stop.
public final class Daemon {
  /// Those of the start.
  let settings: Settings
  let log: Logger
  let console: ConsoleLog
  let signals: Signals
  let fileSystem: any FileSystem
  let router: TopicRouter
  let board: StatusBoard
  let activity: Activity
  let supervisor: Supervisor
  let patience: DiskPatience
  /// Whether the gateway runs with what the operator last wrote.
  let reloads = ReloadStatusBoard()
  /// The start, as far as it plays the journal and reads customer files.
  let startPulse = Pulse()
  /// The part of the journal that is played at the start.
  var played = (from: 0, to: 0)
  /// The customer files just before they were read.
  var customerFilesLoaded: FilesFingerprint?
  private let lock: any FileLock

  /// Takes the data folder.
  /// - Parameters:
  ///   - console: writes the log.
  ///   - environment: `NOTIFY_SOCKET` and `WATCHDOG_USEC` are systemd's.
  /// - Throws: what keeps the gateway from starting, with the setting to look at.
  public init(
    _ settings: Settings, console: ConsoleLog, signals: Signals,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(DaemonError) {
    let log = Logger(label: "stepgate") { _ in console }
    self.settings = settings
    self.log = log
    self.console = console
    self.signals = signals
    activity = Activity(broker: "\(settings.mqtt.host):\(settings.mqtt.port)")
    supervisor = Supervisor(
      Notifier(environment: environment), watchdogMs: watchdogMs(environment: environment), log: log)
    let patience = DiskPatience(log: log, isStopping: { signals.stopRequested })
    self.patience = patience
    let fileSystem = PatientFileSystem(LocalFileSystem()) { patience.waitForSpace($0) }
    self.fileSystem = fileSystem
    try attempt { () throws(MosquittoError) in try AcknowledgementCheck.run() }
    let topics = settings.topics
    router = try attempt(.configuration, naming: "topics") { () throws(TopicFilterError) in
      try TopicRouter(topics)
    }
    let directory = settings.storage.directory
    board = StatusBoard(settings, fileSystem: fileSystem, reloads: reloads)
    lock = try attempt(naming: "storage.directory") { () throws(StorageError) in
      try fileSystem.createDirectories(directory)
      return try fileSystem.lock(DataFolder(directory).lock)
    }
  }

  /// Recovers, takes messages until the process is told to stop, and closes everything.
  /// - Parameter reload: reads the settings again, at SIGHUP.
  /// - Returns: what the pipeline did.
  public func run(
    reload: @escaping @Sendable () throws(SettingsError) -> Settings
  ) throws(DaemonError) -> PipelineStatus {
    try startServer()
    defer { supervisor.stopping() }
    board.enter(.recovering)
    supervisor.watch([("the start", startPulse)])
    supervisor.ask(questions())
    guard let recovered = try recover() else {
      log.info("stopped while playing the journal; the next start begins with it again")
      return PipelineStatus()
    }
    try recordSettings(recovered)
    guard try loadCustomers(recovered) else {
      log.info("stopped while waiting for the customer files")
      return PipelineStatus()
    }
    startPulse.rests()
    return try ingest(recovered, reload)
  }

  private func questions(
    _ ingest: PublishedIngestStatus = PublishedIngestStatus(), pairs: @escaping @Sendable () -> Int = { 0 }
  ) -> Supervisor.Questions {
    let (patience, signals, console, reloads, activity) = (patience, signals, console, reloads, activity)
    var questions = Supervisor.Questions()
    questions.sentence = { activity.sentence(ingest.latest.connection.state, pairs: pairs()) }
    questions.isWaitingForRoom = { patience.isWaiting }
    questions.isStopping = { signals.stopRequested }
    questions.remark = { reloads.status.remark }
    questions.tick = { console.tellLeftOut() }
    return questions
  }

  private func ingest(
    _ recovered: Recovered, _ reload: @escaping @Sendable () throws(SettingsError) -> Settings
  ) throws(DaemonError) -> PipelineStatus {
    let options = try clientOptions()
    let client = try attempt { () throws(MosquittoError) in try Client(options) }
    let (wakeUp, signals) = (signals.wakeUp, signals)
    let directory = settings.storage.directory
    let engine = EngineThread(
      player: recovered.player,
      checkpoints: CheckpointStore(fileSystem: fileSystem, dataDirectory: directory),
      onFailure: { wakeUp.signal() })
    let reporter = IngestReporter(
      settings, log: log, countsRequested: { signals.takeCountsRequest() },
      whenSubscribed: { [supervisor] in supervisor.ready() }, status: { engine.status })
    let input = LocalInput(wakeUp: wakeUp)
    let room = RoomWatch(
      fileSystem: fileSystem, directory: directory, minFreeBytes: settings.storage.minFreeBytes)
    let loop = IngestLoop(
      connection: client, subscriptions: router.subscriptions, limits: IngestLimits(settings),
      recovered: recovered, engine: engine, room: room, wakeUp: wakeUp, input: input, observer: reporter,
      isStopping: { signals.stopRequested })
    supervisor.watch([("ingest", loop.pulse)] + engine.pulses)
    supervisor.ask(questions(loop.published) { engine.status.rows[.machineLearningCurated] ?? 0 })
    activity.set(.running)
    reporter.starting()
    board.watch(engine, loop.published, checkpointPosition: recovered.checkpointPosition)
    engine.start()
    let customers = listenToOperator(input, reload)
    defer { customers.stop() }
    // The engine finishes what is durable however the loop ended.
    let ended = Result { () throws(IngestError) in try loop.run() }
    board.enter(.stopping)
    supervisor.stopping()
    let redeliveries = (try? ended.get()) == nil ? nil : loop.redeliveries
    try attempt { () throws(PlayError) in try engine.stop(checkpoint: redeliveries) }
    try attempt { () throws(IngestError) in try ended.get() }
    let hasSession = loop.published.latest.connection.connects > 0
    reporter.stopped(engine.status, loop.counts, hasSession: hasSession)
    return engine.status
  }

  // Before anything else is done, so that a port in use is told at once, and a long recovery can be watched. It ends
  // with the process, and not before: SwiftNIO traps where a connection is accepted while its server is told to stop
  // (the deinit of NIOAsyncWriter), and whoever connects just then must not decide how the process ends.
  private func startServer() throws(DaemonError) {
    guard settings.http.isEnabled else { return }
    let server = try attempt(naming: "http.listen") { () throws(ListenError) in
      try StatusServer(settings.http.listen, board: board, log: log)
    }
    log.info("status page at http://\(server.address)/")
  }

  /// From now on SIGHUP and changes of the customer files reach the ingest thread.
  private func listenToOperator(
    _ input: LocalInput, _ reload: @escaping @Sendable () throws(SettingsError) -> Settings
  ) -> CustomerFiles {
    let customers = CustomerFiles(
      CustomerFiles.Options(settings), loaded: customerFilesLoaded, input: input, fileSystem: fileSystem,
      dataDirectory: settings.storage.directory, board: reloads, log: log)
    let reloader = Reloader(
      settings, load: reload,
      parts: Reloader.Parts(
        input: input, customers: customers, supervisor: supervisor, board: reloads, console: console),
      log: log)
    customers.start()
    signals.whenReloadRequested { reloader.reload() }
    return customers
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
