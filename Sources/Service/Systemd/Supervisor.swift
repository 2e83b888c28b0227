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
public import Logging
import Synchronization
public import Threads

/// What the process is doing at the moment, for people.
public struct Sentence: Equatable, Sendable {
  public let text: String
  /// The sentence without its numbers: another one is told at once.
  public let gist: String

  /// - Parameter gist: nil for a sentence without numbers.
  public init(_ text: String, gist: String? = nil) {
    self.text = text
    self.gist = gist ?? text
  }
}

/// Sends the notifications. Any thread.
// `progress` and what was last sent belong to the queue; all else is behind the mutex or never changes.
public final class Supervisor: @unchecked Sendable {
  /// What it asks the process each time.
  public struct Questions: Sendable {
    public var sentence: @Sendable () -> Sentence = { Sentence("starting") }
    public var isWaitingForRoom: @Sendable () -> Bool = { false }
    public var isStopping: @Sendable () -> Bool = { false }
    /// What else is wrong, to be read behind the sentence; nil: nothing.
    public var remark: @Sendable () -> String? = { nil }
    /// Called each time, for what has no thread of its own.
    public var tick: @Sendable () -> Void = {}

    public init() {}
  }

  private struct State {
    var workers: [(name: String, pulse: Pulse)] = []
    var questions = Questions()
    var isReady = false
    var isStopping = false
  }

  private static let tickMs = 1_000
  private static let statusEveryMs = 5_000
  private static let extendByUs = 60_000_000
  // So long with one step is worth a line.
  private static let stuckTellMs = 10_000

  private let notifier: Notifier
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
  private var sentText = ""
  private var sentGist: String?
  private var sentMs = 0
  private var extendedMs = Int.min / 2

  /// - Parameter watchdogMs: the time without a sign of life that the manager allows; nil: it does not watch.
  public init(_ notifier: Notifier, watchdogMs: Int?, extendEveryMs: Int = 5_000, log: Logger) {
    self.extendEveryMs = extendEveryMs
    self.notifier = notifier
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
  public func watch(_ workers: [(name: String, pulse: Pulse)]) { state.withLock { $0.workers = workers } }

  public func ask(_ questions: Questions) { state.withLock { $0.questions = questions } }

  // MARK: Events

  /// Recovered and subscribed. Only the first time counts.
  public func ready() {
    let isFirst = state.withLock { state in
      defer { state.isReady = true }
      return !state.isReady
    }
    if isFirst { sendWithStatus("READY=1") }
  }

  /// Settings are being read again. Before the gateway is ready that is part of its start.
  public func reloading() {
    guard state.withLock({ $0.isReady && !$0.isStopping }) else { return }
    notifier.send(
      "RELOADING=1", "MONOTONIC_USEC=\(Notifier.monotonicUs)", "STATUS=reading the settings again")
  }

  public func reloaded() {
    guard state.withLock({ $0.isReady && !$0.isStopping }) else { return }
    sendWithStatus("READY=1")
  }

  /// Only the first time counts.
  public func stopping() {
    let isFirst = state.withLock { state in
      defer { state.isStopping = true }
      return !state.isStopping
    }
    guard isFirst else { return }
    sendWithStatus("STOPPING=1")
  }

  private func sendWithStatus(_ assignment: String) {
    sending.withLock { _ in notifier.send(assignment, "STATUS=\(sentence().text)") }
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
    sending.withLock { _ in
      let (text, gist) = sentence()
      guard text != sentText, gist != sentGist || nowMs - sentMs >= Self.statusEveryMs else { return }
      notifier.send("STATUS=\(text)")
      (sentText, sentGist, sentMs) = (text, gist, nowMs)
    }
  }

  private func sentence() -> (text: String, gist: String) {
    let (questions, isStopping) = state.withLock { ($0.questions, $0.isStopping) }
    let doing =
      if questions.isWaitingForRoom() {
        Sentence("the disk is full: waiting for room, nothing is lost")
      } else if isStopping { Sentence("stopping") } else { questions.sentence() }
    let remark = questions.remark().map { "; \($0)" } ?? ""
    return (doing.text + remark, doing.gist + remark)
  }
}
