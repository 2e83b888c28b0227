// The time of a simulation: it passes only where the simulation lets it.

/// A clock that is set by hand. Never runs backwards.
final class VirtualTime {
  /// Milliseconds since 1970-01-01 UTC.
  private(set) var nowMs: Int64

  init(nowMs: Int64) { self.nowMs = nowMs }

  func advance(byMs ms: Int64) {
    precondition(ms >= 0)
    nowMs += ms
  }
}
