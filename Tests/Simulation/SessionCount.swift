// Whether each beginning of a session that the broker told of is in the journal.
//
// A known limit (docs/durability.md): a gateway that dies between the broker's answer and the fsync of the session's
// entry does not know later that the session began, for the next connection says that it was kept. Then a row of
// audit/gaps is missing. Nothing was sent in that session yet, since nothing was subscribed to.

import Journal

/// The beginnings of sessions, told and journaled.
struct SessionCount {
  /// Those that the broker told of, but for those that are known to be unnoticed.
  var begun = 0
  /// The gateway does not know of the newest session's beginning.
  private(set) var lastWasUnnoticed = false
  private var journaled = 0
  /// A life ended that may have been in the middle of journaling one.
  private var mayBeUnnoticed = false

  mutating func lifeEnded(byItself: Bool) {
    if !byItself && begun == journaled + 1 { mayBeUnnoticed = true }
  }

  /// Compares, at a moment when all that the gateway knows is in the history.
  /// - Returns: how many turned out to be unnoticed.
  mutating func compare(_ history: JournalHistory) throws(SimulationFailure) -> Int {
    let before = journaled
    journaled = history.entries.count { $0.kind == .sessionGap }
    if journaled > before { lastWasUnnoticed = false }
    defer { mayBeUnnoticed = false }
    if journaled == begun { return 0 }
    guard mayBeUnnoticed, journaled == begun - 1 else {
      throw SimulationFailure(.sessions, "\(begun) began, \(journaled) are in the journal")
    }
    begun = journaled
    lastWasUnnoticed = true
    return 1
  }
}
