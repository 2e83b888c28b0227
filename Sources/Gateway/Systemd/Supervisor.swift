// Tells the service manager what it wants to know: ready, reloading, stopping, alive, and a sentence for people.
//
// Invariants:
// - READY is sent once, when the gateway has recovered and subscribed; until then the start's time-out is extended as
//   long as there is progress (systemd.service(5), `TimeoutStartSec=`), also while the broker is away: that is no
//   failure of the gateway, and the status says so.
// - The watchdog is fed while all workers get on (ProgressWatch), from a thread that does nothing else.
// - The status is sent when what the gateway does changes, and at most every few seconds when only a number does. The
//   last one that was sent is true: no thread sends an older one behind it.

import Dispatch
import Ingest
import Logging
import Synchronization

/// Sends the notifications. Any thread.
// `progress` and what was last sent belong to the queue; all else is behind the mutex or never changes.
final class Supervisor: @unchecked Sendable {
  /// What it asks the gateway each time.
  struct Questions: Sendable {
    var pairs: @Sendable () -> Int = { 0 }
    var isWaitingForRoom: @Sendable () -> Bool = { false }
    var isStopping: @Sendable () -> Bool = { false }
    /// What else is wrong, to be read behind the sentence; nil: nothing.
    var remark: @Sendable () -> String? = { nil }
    /// Called each time, for what has no thread of its own.
    var tick: @Sendable () -> Void = {}
  }

  private struct State {
    var workers: [(name: String, pulse: Pulse)] = []
    var questions = Questions()
    var isReady = false
    var isStopping = false
  }

  /// What is told at once when it changes: a status without its numbers.
  private struct News: Equatable {
    var phase: Activity.Phase
    var isWaitingForRoom: Bool
    var remark: String?
  }

  private static let tickMs = 1_000
  private static let statusEveryMs = 5_000
  private static let extendByUs = 60_000_000
  // So long with one step is worth a line.
  private static let stuckTellMs = 10_000

  private let notifier: Notifier
  private let activity: Activity
  private let log: Logger
  private let watchdogMs: Int?
  private let extendEveryMs: Int
  private let state = Mutex(State())
  /// Held from the making of a sentence until it is sent.
  private let sending = Mutex(())
  private let queue = DispatchQueue(label: "stepgate.supervisor", qos: .userInitiated)
  private let timer: any DispatchSourceTimer
  private var progress: ProgressWatch
  private var toldStuck = false
  private var sentStatus = ""
  private var sentNews: News?
  private var sentStatusMs = 0
  private var extendedMs = Int.min / 2

  /// - Parameter watchdogMs: the time without a sign of life that the manager allows; nil: it does not watch.
  init(
    _ notifier: Notifier, activity: Activity, watchdogMs: Int?, extendEveryMs: Int = 5_000, log: Logger
  ) {
    self.extendEveryMs = extendEveryMs
    self.notifier = notifier
    self.activity = activity
    self.watchdogMs = watchdogMs
    self.log = log
    progress = ProgressWatch(nowMs: SystemClock().monotonicMs)
    timer = DispatchSource.makeTimerSource(queue: queue)
    let everyMs = min(Self.tickMs, max(1, (watchdogMs ?? Self.tickMs) / 4))
    timer.schedule(deadline: .now(), repeating: .milliseconds(everyMs))
    timer.setEventHandler { [weak self] in self?.tick() }
    timer.activate()
  }

  deinit { timer.cancel() }

  /// From now on these are watched, and no others.
  func watch(_ workers: [(name: String, pulse: Pulse)]) { state.withLock { $0.workers = workers } }

  func ask(_ questions: Questions) { state.withLock { $0.questions = questions } }

  // MARK: Events

  /// Recovered and subscribed. Only the first time counts.
  func ready() {
    let isFirst = state.withLock { state in
      defer { state.isReady = true }
      return !state.isReady
    }
    if isFirst { sendWithStatus("READY=1") }
  }

  /// Settings are being read again. Before the gateway is ready that is part of its start.
  func reloading() {
    guard state.withLock({ $0.isReady && !$0.isStopping }) else { return }
    notifier.send(
      "RELOADING=1", "MONOTONIC_USEC=\(Notifier.monotonicUs)", "STATUS=reading the settings again")
  }

  func reloaded() {
    guard state.withLock({ $0.isReady && !$0.isStopping }) else { return }
    sendWithStatus("READY=1")
  }

  func stopping() {
    let isFirst = state.withLock { state in
      defer { state.isStopping = true }
      return !state.isStopping
    }
    guard isFirst else { return }
    activity.set(.stopping)
    sendWithStatus("STOPPING=1")
  }

  private func sendWithStatus(_ assignment: String) {
    sending.withLock { _ in notifier.send(assignment, "STATUS=\(sentence())") }
  }

  // MARK: Every second

  private func tick() {
    let (workers, questions, isReady) = state.withLock { ($0.workers, $0.questions, $0.isReady) }
    if questions.isStopping() { stopping() }
    questions.tick()
    let nowMs = SystemClock().monotonicMs
    let looks = workers.map { WorkerLook(name: $0.name, reading: $0.pulse.reading) }
    let stuck = progress.stuck(looks, isWaitingForRoom: questions.isWaitingForRoom(), nowMs: nowMs)
    if stuck.isEmpty { toldStuck = false }
    if stuck.isEmpty { isReady ? feed() : extendStart(nowMs) } else { tell(stuck, nowMs) }
    sendStatus(nowMs)
  }

  private func feed() { if watchdogMs != nil { notifier.send("WATCHDOG=1") } }

  private func extendStart(_ nowMs: Int) {
    guard nowMs - extendedMs >= extendEveryMs, !state.withLock({ $0.isStopping }) else { return }
    extendedMs = nowMs
    notifier.send("EXTEND_TIMEOUT_USEC=\(Self.extendByUs)")
  }

  private func tell(_ stuck: [String], _ nowMs: Int) {
    let ms = progress.stuckForMs(nowMs: nowMs)
    guard !toldStuck, ms >= min(Self.stuckTellMs, (watchdogMs ?? .max) / 2) else { return }
    toldStuck = true
    log.critical("no progress for \(ms / 1000) s: \(stuck.joined(separator: " and ")); is the disk stuck?")
  }

  private func sendStatus(_ nowMs: Int) {
    let questions = state.withLock { $0.questions }
    let news = News(
      phase: activity.phase.kind, isWaitingForRoom: questions.isWaitingForRoom(), remark: questions.remark())
    sending.withLock { _ in
      let text = sentence()
      guard text != sentStatus, news != sentNews || nowMs - sentStatusMs >= Self.statusEveryMs else { return }
      notifier.send("STATUS=\(text)")
      (sentStatus, sentNews, sentStatusMs) = (text, news, nowMs)
    }
  }

  private func sentence() -> String {
    let questions = state.withLock { $0.questions }
    let doing =
      questions.isWaitingForRoom()
      ? "the disk is full: waiting for room, nothing is lost" : activity.sentence(pairs: questions.pairs())
    return ([doing] + [questions.remark()].compactMap(\.self)).joined(separator: "; ")
  }
}
