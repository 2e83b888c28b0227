import Foundation
import Logging
import Synchronization
import Testing
import TestSupport
import Threads

@testable import Service

@Suite struct SupervisorTests {
  private let socket: NotifySocket
  private let recorder = LogRecorder()

  init() throws { socket = try NotifySocket() }

  private func supervisor(watchdogMs: Int? = nil) -> Supervisor {
    Supervisor(
      Notifier(environment: ["NOTIFY_SOCKET": socket.name]), watchdogMs: watchdogMs, extendEveryMs: 40,
      log: recorder.logger())
  }

  @Test func `An engine that hangs is fed no longer, is named in the log, and is fed again when it goes on`()
    throws
  {
    let supervisor = supervisor(watchdogMs: 80)
    let (ingest, engine) = (Pulse(), Pulse())
    supervisor.watch([("ingest", ingest), ("the engine", engine)])
    supervisor.ready()
    try eventually { socket.count("WATCHDOG=1") > 3 }
    engine.works()
    try eventually { recorder.lines.contains { $0.contains("no progress") } }
    let fed = socket.count("WATCHDOG=1")
    ingest.works()
    // Longer than systemd would wait.
    usleep(300_000)
    #expect(socket.count("WATCHDOG=1") <= fed + 1)
    #expect(recorder.lines.count == 1)
    #expect(recorder.lines.first?.contains(": the engine;") == true)
    engine.rests()
    ingest.rests()
    try eventually { socket.count("WATCHDOG=1") > fed + 3 }
  }

  @Test func `A start that hangs has its time extended no longer`() throws {
    let supervisor = supervisor(watchdogMs: 40)
    let minuteMore = "EXTEND_TIMEOUT_USEC=60000000"
    let start = Pulse()
    supervisor.watch([("the start", start)])
    try eventually { socket.count(minuteMore) > 2 }
    start.works()
    try eventually { recorder.lines.contains { $0.contains("no progress") } }
    let extended = socket.count(minuteMore)
    usleep(300_000)
    #expect(socket.count(minuteMore) <= extended + 1)
    start.rests()
    try eventually { socket.count(minuteMore) > extended + 1 }
    #expect(socket.count("WATCHDOG=1") == 0)
  }

  @Test func `Who waits for room is fed, and the status says so`() throws {
    let supervisor = supervisor(watchdogMs: 40)
    let engine = Pulse()
    engine.works()
    supervisor.watch([("the engine", engine)])
    var questions = Supervisor.Questions()
    questions.isWaitingForRoom = { true }
    questions.remark = { "a remark" }
    supervisor.ask(questions)
    supervisor.ready()
    try eventually { socket.count("WATCHDOG=1") > 10 }
    #expect(socket.status == "the disk is full: waiting for room, nothing is lost; a remark")
  }

  @Test func `Reloads are told once it is ready, with the time, and nothing is behind the stop`() throws {
    let supervisor = supervisor()
    supervisor.reloading()
    supervisor.reloaded()
    supervisor.ready()
    supervisor.ready()
    supervisor.reloading()
    supervisor.reloaded()
    supervisor.stopping()
    supervisor.stopping()
    supervisor.reloading()
    try eventually { socket.count("STOPPING=1") == 1 }
    let told = socket.messages.filter { $0["STATUS"] != nil && $0.assignments.count > 1 }
    #expect(told.map { $0.assignments[0] } == ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"])
    let us = try #require(told[1]["MONOTONIC_USEC"].flatMap { UInt64($0) })
    #expect(us <= Notifier.monotonicUs && us > Notifier.monotonicUs - 60_000_000)
    #expect(socket.status == "stopping")
  }

  @Test func `The status follows what happens at once, and numbers now and then`() throws {
    let counter = Counter()
    let doing = Mutex("playing")
    let supervisor = supervisor(watchdogMs: 40)
    var questions = Supervisor.Questions()
    questions.sentence = {
      let gist = doing.withLock { $0 }
      return Sentence("\(gist) \(counter.next())", gist: gist)
    }
    supervisor.ask(questions)
    try eventually { socket.status?.hasPrefix("playing ") == true }
    doing.withLock { $0 = "connected" }
    try eventually { socket.status?.hasPrefix("connected ") == true }
    let sent = socket.messages.count { $0["STATUS"] != nil }
    usleep(500_000)
    #expect(socket.messages.count { $0["STATUS"] != nil } == sent)
    supervisor.stopping()
  }
}

private final class Counter: Sendable {
  private let count = Mutex(0)

  func next() -> Int {
    count.withLock { count in
      count += 1
      return count
    }
  }
}
