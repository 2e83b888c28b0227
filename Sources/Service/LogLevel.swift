// `log.level`, which changes while the gateway runs.

public import Logging
import Synchronization

/// A level that all copies of a log handler look at. Any thread.
public final class LogLevel: Sendable {
  private let place: Atomic<Int>

  public init(_ level: Logger.Level) { place = Atomic(Self.place(of: level)) }

  public var level: Logger.Level {
    get { Logger.Level.allCases[place.load(ordering: .relaxed)] }
    set { place.store(Self.place(of: newValue), ordering: .relaxed) }
  }

  private static func place(of level: Logger.Level) -> Int {
    guard let place = Logger.Level.allCases.firstIndex(of: level) else {
      preconditionFailure("a level that is none of them")
    }
    return place
  }
}
