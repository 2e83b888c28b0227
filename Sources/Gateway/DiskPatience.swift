// What the gateway does while the disk is full: it says so once, and tries again until there is room.

import Glibc
import Ingest
import Logging
import Storage
import Synchronization

final class DiskPatience: Sendable {
  private static let pauseMs = 250
  // A wait that begins so long after the last one is worth another line.
  private static let quietMs = 60_000

  private let log: Logger
  private let isStopping: @Sendable () -> Bool
  private let lastWaitMs = Mutex<Int?>(nil)

  /// Whether somebody waits for room.
  var isWaiting: Bool {
    let nowMs = SystemClock().monotonicMs
    return lastWaitMs.withLock { last in last.map { nowMs - $0 <= 4 * Self.pauseMs } ?? false }
  }

  init(log: Logger, isStopping: @escaping @Sendable () -> Bool) {
    self.log = log
    self.isStopping = isStopping
  }

  /// Pauses, and returns whether to try again.
  func waitForSpace(_ error: StorageError) -> Bool {
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
