// A sign of life that one thread gives and another looks at, so that a watchdog sees what hangs.
//
// Invariant: a worker that never returns from what it does (a write to a dead disk, a loop without end) keeps the
// reading that it had, busy.

import Synchronization

/// Tells of one worker whether it has something to do, and how far it is. Written by the worker alone.
public final class Pulse: Sendable {
  /// What a look at a pulse shows.
  public struct Reading: Equatable, Sendable {
    /// Goes up with each step.
    public let steps: Int
    /// Whether a step is under way; if not, the worker waits for work or for the world.
    public let isBusy: Bool

    public init(steps: Int, isBusy: Bool) {
      self.steps = steps
      self.isBusy = isBusy
    }
  }

  // Steps times two, and one more while a step is under way: one word, so that a look sees both of one moment.
  private let word = Atomic(0)

  public init() {}

  /// A step begins, and the one before is done.
  public func works() { word.store((word.load(ordering: .relaxed) | 1) &+ 2, ordering: .relaxed) }

  /// Nothing to do until the next step.
  public func rests() { word.store(word.load(ordering: .relaxed) & ~1, ordering: .relaxed) }

  public var reading: Reading {
    let word = word.load(ordering: .relaxed)
    return Reading(steps: word >> 1, isBusy: word & 1 == 1)
  }
}
