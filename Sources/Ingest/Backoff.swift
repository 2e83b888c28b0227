// How long to wait before trying again.

/// Delays that double from half a second to half a minute, each drawn from its upper half, so that a
/// thousand gateways do not come back to a restarted broker at the same instant.
struct Backoff {
  private static let firstMs = 500
  static let lastMs = 30_000
  private let draw: (ClosedRange<Int>) -> Int
  private var ceilingMs = firstMs

  /// - Parameter draw: gives a random number.
  init(draw: @escaping (ClosedRange<Int>) -> Int = { .random(in: $0) }) { self.draw = draw }

  mutating func next() -> Int {
    defer { ceilingMs = min(ceilingMs * 2, Self.lastMs) }
    return draw(ceilingMs / 2...ceilingMs)
  }

  mutating func reset() { ceilingMs = Self.firstMs }
}
