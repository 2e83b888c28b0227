// Log lines for a person who started the gateway by hand: time, level, message, on stderr.

import Glibc
public import Logging

/// Writes one line an event to stderr.
public struct ConsoleLog: LogHandler {
  public var logLevel: Logger.Level
  public var metadata: Logger.Metadata = [:]

  public init(level: Logger.Level) { logLevel = level }

  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  public func log(event: LogEvent) {
    let name = event.level.rawValue
    let padding = String(repeating: " ", count: max(1, 9 - name.count))
    let line = "\(Self.timeOfDay()) \(name)\(padding)\(event.message)\n"
    var bytes = Array(line.utf8)
    // A line that cannot be written has no other place to go.
    _ = write(STDERR_FILENO, &bytes, bytes.count)
  }

  private static func timeOfDay() -> String {
    var now = time(nil)
    var parts = tm()
    localtime_r(&now, &parts)
    return [parts.tm_hour, parts.tm_min, parts.tm_sec].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(
      separator: ":")
  }
}
