// Wakes a thread that sleeps in poll, from another thread.

import Glibc

/// An eventfd (eventfd(2)): any thread signals it, one thread polls it.
public final class WakeUp: Sendable {
  /// To be polled for reading.
  public let descriptor: Int32

  public init() {
    descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
    precondition(descriptor >= 0, "there are no file descriptors left to start with")
  }

  deinit { close(descriptor) }

  public func signal() { eventfd_write(descriptor, 1) }

  func reset() {
    var value: eventfd_t = 0
    _ = eventfd_read(descriptor, &value)
  }
}
