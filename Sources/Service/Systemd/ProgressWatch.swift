// Whether the gateway gets on: what decides about the watchdog.
//
// A worker is stuck while it stays busy with one step: a write or a sync that never returns, a batch that is never
// done. Waiting (for messages, for the broker, for the other thread) is no step, and waiting for room on a full disk
// is excused. How long a step may take is the service manager's to say: it is not told of life until the step is done.

import Threads

/// A worker by name, as it was at some moment.
struct WorkerLook: Equatable {
  let name: String
  let reading: Pulse.Reading
}

/// Compares each look at the workers with the last one that was good.
struct ProgressWatch {
  private var lastGood: [String: Pulse.Reading] = [:]
  private var lastGoodMs: Int

  init(nowMs: Int) { lastGoodMs = nowMs }

  /// - Parameter isWaitingForRoom: whether somebody waits for a full disk.
  /// - Returns: the workers that have been with one step since the last good look; none makes this look good.
  mutating func stuck(_ workers: [WorkerLook], isWaitingForRoom: Bool, nowMs: Int) -> [String] {
    let stuck = workers.filter { $0.reading.isBusy && lastGood[$0.name] == $0.reading }
    guard stuck.isEmpty || isWaitingForRoom else { return stuck.map(\.name) }
    lastGood = Dictionary(uniqueKeysWithValues: workers.map { ($0.name, $0.reading) })
    lastGoodMs = nowMs
    return []
  }

  /// The time since the last good look.
  func stuckForMs(nowMs: Int) -> Int { nowMs - lastGoodMs }
}
