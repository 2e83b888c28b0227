// One line on the terminal that says how far a long command is.
//
// Invariants: writes to stderr only, and only where that is a terminal; at most ten times a second; never
// more than one line of the terminal's width; leaves nothing behind after `finish`.

import Glibc

struct TerminalProgress {
  private static let updateIntervalMs: Int64 = 100
  /// Carriage return, then "erase to the end of the line" (ECMA-48, EL).
  private static let clearLine = "\r\u{1B}[K"

  /// nil where stderr is no terminal: nothing is shown.
  private let columns: Int?
  private let nowMs: () -> Int64
  private let write: (String) -> Void
  private var lastUpdateMs: Int64?

  /// Progress on stderr.
  init() {
    self.init(columns: terminalColumns(), nowMs: monotonicMs, write: writeToStandardError)
  }

  /// - Parameters:
  ///   - columns: the terminal's width; nil for no terminal.
  ///   - nowMs: a clock that never goes back.
  init(columns: Int?, nowMs: @escaping () -> Int64, write: @escaping (String) -> Void) {
    self.columns = columns
    self.nowMs = nowMs
    self.write = write
  }

  /// Shows the line instead of the last one, unless that is less than a tenth of a second old.
  ///
  /// - Parameter line: is evaluated only where it will be shown.
  mutating func update(_ line: @autoclosure () -> String) {
    guard let columns else { return }
    let now = nowMs()
    if let lastUpdateMs, now - lastUpdateMs < Self.updateIntervalMs { return }
    lastUpdateMs = now
    // A full last column would make some terminals wrap.
    write(Self.clearLine + line().prefix(columns - 1))
  }

  /// Clears the line, before a command prints its result.
  mutating func finish() {
    guard lastUpdateMs != nil else { return }
    lastUpdateMs = nil
    write(Self.clearLine)
  }
}

private func terminalColumns() -> Int? {
  guard isatty(STDERR_FILENO) == 1 else { return nil }
  let columnsOfUnknownTerminal = 80
  var size = winsize()
  guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
    return columnsOfUnknownTerminal
  }
  return Int(size.ws_col)
}

private func monotonicMs() -> Int64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
}
