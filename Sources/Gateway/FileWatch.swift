// Notices that something happens in folders (inotify(7)), and says no more than that: what it was, the files
// themselves tell.

import Glibc

/// Why folders cannot be watched, e.g. `Too many open files`.
struct WatchError: Error {
  let reason: String
}

/// Watches folders, not what is below them. One thread.
final class FileWatch {
  private let descriptor: Int32
  private var watches: [String: Int32] = [:]

  /// - Throws: why the system has none left.
  init() throws(WatchError) {
    descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
    guard descriptor >= 0 else { throw WatchError(reason: String(cString: strerror(errno))) }
  }

  deinit { close(descriptor) }

  /// From now on these folders are watched, and no others. One that cannot be watched is left out.
  func watch(_ folders: Set<String>) {
    for (folder, watch) in watches where !folders.contains(folder) {
      inotify_rm_watch(descriptor, watch)
      watches[folder] = nil
    }
    // Also those that are watched already: another folder may have the name by now.
    let events =
      IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB
      | IN_DELETE_SELF | IN_MOVE_SELF
    for folder in folders {
      let watch = inotify_add_watch(descriptor, folder, UInt32(events) | UInt32(IN_ONLYDIR))
      watches[folder] = watch >= 0 ? watch : nil
    }
  }

  /// Waits until something happened, or the other descriptor can be read, or the time is over. Forgets what happened.
  func wait(timeoutMs: Int, wakeUp: Int32) {
    var polled = [
      pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
      pollfd(fd: wakeUp, events: Int16(POLLIN), revents: 0),
    ]
    poll(&polled, nfds_t(polled.count), Int32(clamping: timeoutMs))
    withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { buffer in
      while read(descriptor, buffer.baseAddress, buffer.count) > 0 {}
    }
  }
}
