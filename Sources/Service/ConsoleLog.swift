// Log lines on stderr, for whoever reads there: a person who started the gateway by hand (time, level, message), or
// systemd's journal (a priority and the message; it keeps the time by itself).
//
// Invariants: an event is one line, whatever is in its message; a line that comes again and again is left out and
// counted (LogLimit), but for answers to somebody's question.

import Glibc
public import Logging
import Settings
import Synchronization
import Threads

/// Writes one line an event to stderr.
public struct ConsoleLog: LogHandler {
  /// Whose line it is to read.
  public enum Format: Sendable {
    case person
    case journal

    /// The journal's where stderr is the stream that `JOURNAL_STREAM` names by device and inode (systemd.exec(5)).
    public init(environment: [String: String], descriptor: Int32 = STDERR_FILENO) {
      var status = stat()
      let isJournal =
        fstat(descriptor, &status) == 0
        && environment["JOURNAL_STREAM"] == "\(status.st_dev):\(status.st_ino)"
      self = isJournal ? .journal : .person
    }
  }

  /// Metadata of a line that is an answer: always written.
  public static let isAnswer: Logger.Metadata = ["stepgate.answer": "true"]

  public var metadata: Logger.Metadata = [:]
  private let format: Format
  public let level: LogLevel
  private var ownLevel: Logger.Level?
  private let output: Output

  /// - Parameter descriptor: where the lines go.
  public init(level: LogLevel, format: Format = .person, descriptor: Int32 = STDERR_FILENO) {
    self.level = level
    self.format = format
    output = Output(descriptor)
  }

  /// The level of the settings; once it is set, that of this copy alone.
  public var logLevel: Logger.Level {
    get { ownLevel ?? level.level }
    set { ownLevel = newValue }
  }

  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  public func log(event: LogEvent) {
    let isAnswer = event.metadata?.keys.contains("stepgate.answer") == true
    let line = Line(level: event.level, text: "\(event.message)")
    output.write(line, isLimited: !isAnswer, as: format)
  }

  /// Writes what became of lines that were left out, once their minute is over.
  public func tellLeftOut() { output.tellLeftOut(as: format) }
}

private struct Line {
  let level: Logger.Level
  let text: String

  init(level: Logger.Level, text: String) {
    self.level = level
    self.text = String(String.UnicodeScalarView(text.unicodeScalars.map { isControl($0) ? " " : $0 }))
  }

  func formatted(_ format: ConsoleLog.Format) -> String {
    switch format {
    case .journal: return "<\(level.priority)>\(text)\n"
    case .person:
      let name = level.rawValue
      return "\(timeOfDay()) \(name)\(String(repeating: " ", count: max(1, 9 - name.count)))\(text)\n"
    }
  }

  private func timeOfDay() -> String {
    var now = time(nil)
    var parts = tm()
    localtime_r(&now, &parts)
    return [parts.tm_hour, parts.tm_min, parts.tm_sec].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(
      separator: ":")
  }
}

private final class Output: Sendable {
  private let descriptor: Int32
  private let limits = Mutex<[Logger.Level: LogLimit]>([:])

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  func write(_ line: Line, isLimited: Bool, as format: ConsoleLog.Format) {
    tellLeftOut(as: format)
    let nowMs = SystemClock().monotonicMs
    if isLimited {
      guard limits.withLock({ $0[line.level, default: LogLimit()].admits(line.text, nowMs: nowMs) }) else {
        return
      }
    }
    write(line.formatted(format))
  }

  func tellLeftOut(as format: ConsoleLog.Format) {
    let nowMs = SystemClock().monotonicMs
    let lines = limits.withLock { limits in
      limits.keys.flatMap { level in
        (limits[level]?.takeLeftOut(nowMs: nowMs) ?? []).map { Line(level: level, text: $0) }
      }
    }
    for line in lines { write(line.formatted(format)) }
  }

  private func write(_ text: String) {
    let bytes = Array(text.utf8)
    // A line that cannot be written has no other place to go.
    _ = Glibc.write(descriptor, bytes, bytes.count)
  }
}

extension Logger.Level {
  /// As in syslog(3), which is what the journal takes (sd-daemon(3)).
  fileprivate var priority: Int {
    switch self {
    case .trace, .debug: 7
    case .info: 6
    case .notice: 5
    case .warning: 4
    case .error: 3
    case .critical: 2
    }
  }
}
