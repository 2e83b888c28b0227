// Keeps a log from being filled with the same line: at most so many of a kind a minute, and a count of the others.
//
// Two lines are of a kind when they differ in digits only, or not at all.

/// How often each kind of line came of late. The kinds it remembers are bounded.
struct LogLimit {
  static let linesAMinute = 10
  private static let windowMs = 60_000
  private static let kindLimit = 256

  private struct Window {
    let startMs: Int
    var count = 0
    /// The last line that was left out.
    var lastLeftOut = ""
    var leftOut: Int { max(0, count - LogLimit.linesAMinute) }
  }

  private var windows: [String: Window] = [:]

  /// Whether the line is to be written.
  mutating func admits(_ line: String, nowMs: Int) -> Bool {
    var kind = String(line.unicodeScalars.filter { !("0"..."9").contains($0) })
    // Past the bound all new kinds are one.
    if windows[kind] == nil && windows.count >= Self.kindLimit { kind = "" }
    var window = windows[kind] ?? Window(startMs: nowMs)
    window.count += 1
    if window.leftOut > 0 { window.lastLeftOut = line }
    windows[kind] = window
    return window.leftOut == 0
  }

  /// Forgets the kinds whose minute is over.
  /// - Returns: a line for each of which some were left out.
  mutating func takeLeftOut(nowMs: Int) -> [String] {
    let over = windows.filter { nowMs - $0.value.startMs >= Self.windowMs }
    for kind in over.keys { windows[kind] = nil }
    return over.values.filter { $0.leftOut > 0 }.sorted { $0.startMs < $1.startMs }.map { window in
      "\(window.leftOut) more like it were left out: \(window.lastLeftOut)"
    }
  }
}
