// How long to wait before trying again.

/// Delays that double from half a second to half a minute, each drawn from its upper half, so that a
/// thousand gateways do not come back to a restarted broker at the same instant.
struct Backoff {
  private static let firstMs = 500
  static let lastMs = 30_000
  private var ceilingMs = firstMs

  mutating func next() -> Int {
    defer { ceilingMs = min(ceilingMs * 2, Self.lastMs) }
    return Int.random(in: ceilingMs / 2...ceilingMs)
  }

  mutating func reset() { ceilingMs = Self.firstMs }
}
