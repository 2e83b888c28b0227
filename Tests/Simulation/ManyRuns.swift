// Runs many simulations on two threads, and tells what repeats the failing ones.

import Dispatch
import Glibc
import Synchronization

/// What many runs showed.
struct ManyRuns: Sendable {
  /// The first failures, as sentences with the command that repeats them.
  private(set) var failures: [String] = []
  private(set) var failed: [SimulationCheck: Int] = [:]
  private(set) var finished = 0
  private(set) var coverage = SimulationCoverage()

  private static let failuresTold = 10
  private static let tellsEvery = Duration.seconds(20)
  /// On standard error, while they go on.
  private let tells: Bool
  private let began = ContinuousClock.now
  private var toldLast = ContinuousClock.now

  fileprivate init(tells: Bool) { self.tells = tells }

  /// What was done so far, and how fast.
  var progress: String {
    let seconds = (ContinuousClock.now - began) / .seconds(1)
    let perSecond = Int(Double(finished) / max(seconds, 0.001))
    return
      "\(finished) runs in \(Int(seconds)) s, \(perSecond) a second; \(failed.values.reduce(0, +)) failed"
  }

  fileprivate mutating func add(_ outcome: RunOutcome, of count: Int) {
    finished += 1
    coverage.add(outcome.coverage)
    if let failure = outcome.failure {
      failed[failure.check, default: 0] += 1
      if failures.count < Self.failuresTold {
        failures.append("\(failure)\n\(outcome.hint)")
        // At once: a soak may go on for hours, and be ended by hand.
        if tells { say("\(failure)\n\(outcome.hint)") }
      }
    }
    if tells && ContinuousClock.now - toldLast >= Self.tellsEvery {
      toldLast = .now
      say("\(progress), of \(count)")
    }
  }

  private func say(_ what: String) {
    let line = "simulation: \(what)\n"
    _ = write(STDERR_FILENO, line, line.utf8.count)
  }
}

private struct RunOutcome {
  var failure: SimulationFailure?
  var hint = ""
  var coverage = SimulationCoverage()
}

/// What is to be run: a seed, and changes to the plan that it gives.
struct PlannedRun {
  var seed: UInt64
  /// How to have this run again.
  var hint: String
  var change: (inout SimulationPlan) -> Void = { _ in }

  /// A run as its seed plans it.
  init(seed: UInt64) {
    self.seed = seed
    hint = "repeat it with: STEPGATE_SIM_SEED=\(seed) swift test --filter GatewaySimulationTests"
  }

  init(seed: UInt64, hint: String, change: @escaping (inout SimulationPlan) -> Void) {
    self.seed = seed
    self.hint = hint
    self.change = change
  }
}

/// Does `count` runs.
/// - Parameters:
///   - check: ends them when it has failed once.
///   - tells: tells failures and progress meanwhile.
///   - plan: says what the nth is.
func runMany(
  _ count: Int, until check: SimulationCheck? = nil, tells: Bool = false,
  _ plan: @escaping @Sendable (Int) -> PlannedRun
) async throws -> ManyRuns {
  try await onOwnThread { runManyHere(count, until: check, tells: tells, plan) }
}

/// Runs `body` on a thread that no other test waits for: their pool has no more threads than there are processors.
func onOwnThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
  try await withCheckedThrowingContinuation { continuation in
    DispatchQueue(label: "simulation").async { continuation.resume(with: Result { try body() }) }
  }
}

private func runManyHere(
  _ count: Int, until check: SimulationCheck?, tells: Bool, _ plan: @escaping @Sendable (Int) -> PlannedRun
) -> ManyRuns {
  let state = Mutex((next: 0, runs: ManyRuns(tells: tells)))
  let takeNext = { @Sendable () -> Int? in
    state.withLock { state in
      guard state.next < count, check.map({ state.runs.failed[$0] == nil }) ?? true else { return nil }
      defer { state.next += 1 }
      return state.next
    }
  }
  DispatchQueue.concurrentPerform(iterations: 2) { _ in
    while let number = takeNext() {
      let outcome = run(plan(number))
      state.withLock { $0.runs.add(outcome, of: count) }
    }
  }
  return state.withLock { $0.runs }
}

private func run(_ planned: PlannedRun) -> RunOutcome {
  var outcome = RunOutcome(hint: planned.hint)
  do {
    let simulation = try Simulation(seed: planned.seed, change: planned.change)
    do throws(SimulationFailure) { try simulation.run() } catch { outcome.failure = error }
    outcome.coverage = simulation.coverage
  } catch { outcome.failure = SimulationFailure(.start, "\(error)") }
  return outcome
}

/// A number in an environment variable.
func number(inEnvironment name: String) -> UInt64? {
  getenv(name).flatMap { UInt64(String(cString: $0)) }
}
