// Collects the status once a second, for whoever asks: the HTTP server, and through it everybody else.
//
// Invariants:
// - It runs on a thread of its own and only reads what the hot threads publish: it never makes them wait for longer
//   than a copy takes, whatever disk and network do.
// - Whoever asks gets the last status at once.

import Dispatch
import Ingest
import Journal
import Pipeline
import Playback
import Records
import Settings
import Storage
import Synchronization
import Threads

/// The gateway's status, kept up to date. Any thread.
// Mutable state is in `state` and `latestStatus`; `collector` is touched by `thread` alone.
public final class StatusBoard: @unchecked Sendable {
  // What the daemon told of itself.
  private struct State {
    var phase = GatewayStatus.Phase.starting
    var engine: EngineThread?
    var ingest: PublishedIngestStatus?
    var startCheckpointPosition = 0
  }

  private struct Latest {
    var status: GatewayStatus
    /// Made when somebody asks.
    var json: [UInt8]?
  }

  private static let periodMs = 1_000
  private static let rowPeriodMs = 2_000

  private let settings: Settings
  private let fileSystem: any FileSystem
  private let reloads: ReloadStatusBoard
  private let startedAtMs = SystemClock().wallMs
  private let thread = DispatchQueue(label: "stepgate.status")
  private let timer: any DispatchSourceTimer
  private let state: Mutex<State>
  private let latestStatus: Mutex<Latest>
  private var history = StatusHistory()
  private let rows: CuratedRows
  private var lastRows: [GatewayStatus.CuratedRow] = []
  private var lastRowRange = 0..<0
  private var rowsAtMs = Int.min

  /// Begins to collect.
  /// - Parameters:
  ///   - settings: those of the start.
  ///   - reloads: what became of later ones.
  public init(_ settings: Settings, fileSystem: any FileSystem, reloads: ReloadStatusBoard) {
    self.settings = settings
    self.fileSystem = fileSystem
    self.reloads = reloads
    state = Mutex(State())
    rows = CuratedRows(fileSystem: fileSystem, dataDirectory: settings.storage.directory)
    var first = GatewayStatus()
    first.startedAtMs = startedAtMs
    first.nowAtMs = startedAtMs
    first.health = GatewayStatus.Health(of: first)
    latestStatus = Mutex(Latest(status: first))
    timer = DispatchSource.makeTimerSource(queue: thread)
    timer.schedule(deadline: .now(), repeating: .milliseconds(Self.periodMs), leeway: .milliseconds(50))
    timer.setEventHandler { [weak self] in self?.collect() }
    timer.activate()
  }

  deinit { timer.cancel() }

  /// The last status.
  public var latest: GatewayStatus { latestStatus.withLock { $0.status } }

  /// The last status as JSON. It is encoded once, however often it is asked for.
  public var latestJSON: [UInt8] {
    latestStatus.withLock { latest in
      let json = latest.json ?? latest.status.json
      latest.json = json
      return json
    }
  }

  // MARK: What the daemon tells

  /// The daemon has come to this.
  public func enter(_ phase: GatewayStatus.Phase) { change { $0.phase = phase } }

  /// The journal is played: from now on engine and ingest loop are asked.
  /// - Parameter checkpointPosition: of the checkpoint that the process started from.
  public func watch(_ engine: EngineThread, _ ingest: PublishedIngestStatus, checkpointPosition: Int) {
    change { state in
      state.engine = engine
      state.ingest = ingest
      state.startCheckpointPosition = checkpointPosition
      state.phase = .running
    }
  }

  // Shown at once, not with the next second.
  private func change(_ body: (inout State) -> Void) {
    state.withLock { body(&$0) }
    thread.async { [weak self] in self?.collect() }
  }

  // MARK: Collecting

  private func collect() {
    let state = state.withLock { $0 }
    let clock = SystemClock()
    let nowMs = clock.monotonicMs
    var status = GatewayStatus()
    status.phase = state.phase
    status.startedAtMs = startedAtMs
    status.nowAtMs = clock.wallMs
    let reloads = reloads.status
    (status.reload, status.customerFilesAreGood) = (reloads.last, reloads.areCustomerFilesGood)
    status.process = .current()
    status.connection.broker = "\(settings.mqtt.host):\(settings.mqtt.port)"
    addDisk(state.ingest?.latest, to: &status)
    if let engine = state.engine, let ingest = state.ingest {
      status.add(ingest.latest, nowMs: nowMs)
      status.add(engine.status, startCheckpointPosition: state.startCheckpointPosition)
      addJournalSize(to: &status)
      let sums = StatusSample(
        atMs: nowMs, messages: status.connection.messages,
        records: status.pipeline?.records.values.reduce(0) { $0 + $1.received } ?? 0,
        pairs: status.pipeline?.tables[Table.machineLearningCurated.name] ?? 0)
      history.add(sums, to: &status)
      status.curated = curatedRows(from: engine.status.shownFrom, before: sums.pairs, nowMs: nowMs)
    }
    status.health = GatewayStatus.Health(of: status)
    latestStatus.withLock { $0 = Latest(status: status) }
  }

  private func addDisk(_ ingest: IngestStatus?, to status: inout GatewayStatus) {
    status.disk.reserveBytes = ingest?.minFreeBytes ?? settings.storage.minFreeBytes
    // While it cannot be asked the rest is still worth telling.
    guard let free = try? fileSystem.freeBytes(settings.storage.directory) else { return }
    status.disk.freeBytes = free
    status.disk.isLow = free < status.disk.reserveBytes
  }

  // Positions are bytes; a segment's header is no entry.
  private func addJournalSize(to status: inout GatewayStatus) {
    let directory = DataFolder(settings.storage.directory).journal
    guard let start = try? journalStart(fileSystem: fileSystem, directory: directory) else { return }
    status.journal.sizeBytes = max(0, status.journal.positionBytes - start)
  }

  // Who withdraws is gone with the next look, whenever the last one was.
  private func curatedRows(from start: Int, before end: Int, nowMs: Int) -> [GatewayStatus.CuratedRow] {
    let range = start..<max(start, end)
    let isDue = start != lastRowRange.lowerBound || nowMs - Self.rowPeriodMs >= rowsAtMs
    guard range != lastRowRange, isDue else { return lastRows }
    rowsAtMs = nowMs
    lastRowRange = range
    lastRows = rows.last(from: start, before: end)
    return lastRows
  }
}
