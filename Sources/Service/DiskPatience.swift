// What the gateway does while the disk is full: it says so once, and tries again until there is room.

import Glibc
public import Logging
public import Storage
import Synchronization
import Threads

/// Waits for room. Any thread.
public final class DiskPatience: Sendable {
  private static let pauseMs = 250
  // A wait that begins so long after the last one is worth another line.
  private static let quietMs = 60_000

  private let log: Logger
  private let isStopping: @Sendable () -> Bool
  private let lastWaitMs = Mutex<Int?>(nil)

  /// Whether somebody waits for room.
  public var isWaiting: Bool {
    let nowMs = SystemClock().monotonicMs
    return lastWaitMs.withLock { last in last.map { nowMs - $0 <= 4 * Self.pauseMs } ?? false }
  }

  /// - Parameter isStopping: then nobody waits any longer.
  public init(log: Logger, isStopping: @escaping @Sendable () -> Bool) {
    self.log = log
    self.isStopping = isStopping
  }

  /// Pauses, and returns whether to try again.
  public func waitForSpace(_ error: StorageError) -> Bool {
    let nowMs = SystemClock().monotonicMs
    let isNews = lastWaitMs.withLock { last in
      defer { last = nowMs }
      return last.map { nowMs - $0 > Self.quietMs } ?? true
    }
    if isNews { log.error("\(error); waiting for room, nothing is lost meanwhile") }
    usleep(useconds_t(Self.pauseMs * 1000))
    return !isStopping()
  }
}
