// The pauses of `tail --follow` between two looks at a table that had nothing new.
//
// Invariants: no pause is longer than a tenth of a second, so a row is printed about that soon; the pause
// ends at once when nobody reads stdout any more, also while there is nothing to write to it.

import Glibc
import Synchronization

struct FollowPause {
  private static let shortestMs: CInt = 2
  private static let longestMs: CInt = 100
  private static let interrupted = Atomic(false)

  private var pauseMs = Self.shortestMs

  /// Makes SIGINT and SIGTERM end the following: what is being written is finished first. The second one
  /// ends the process, should the reader of stdout not let it finish.
  static func endOnInterruption() {
    // Now, since a signal handler must not be the first to use a static variable.
    interrupted.store(false, ordering: .relaxed)
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in FollowPause.interrupted.store(true, ordering: .relaxed) }
    action.sa_flags = CInt(SA_RESTART) | CInt(bitPattern: UInt32(SA_RESETHAND))
    sigaction(SIGINT, &action, nil)
    sigaction(SIGTERM, &action, nil)
  }

  /// Whether one of the two signals came.
  static var isInterrupted: Bool { interrupted.load(ordering: .relaxed) }

  /// Waits, each time longer. False where there is no use in going on.
  mutating func wait() -> Bool {
    // Asks for nothing: what `poll` tells unasked is that the other end is closed.
    var output = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
    let isClosed = poll(&output, 1, pauseMs) > 0
    pauseMs = min(pauseMs * 2, Self.longestMs)
    return !isClosed && !Self.isInterrupted
  }

  /// After a new row the next may be near.
  mutating func reset() {
    pauseMs = Self.shortestMs
  }
}
