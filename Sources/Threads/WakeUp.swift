// Wakes a thread that sleeps in poll, from another thread or a signal's handler.

import Glibc

/// A pipe to oneself (pipe(7)): any thread signals it, one thread polls it.
public final class WakeUp: Sendable {
  /// To be polled for reading.
  public let descriptor: Int32
  private let signalled: Int32

  public init() {
    var ends: [Int32] = [-1, -1]
    precondition(pipe(&ends) == 0, "there are no file descriptors left to start with")
    for end in ends {
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
    }
    descriptor = ends[0]
    signalled = ends[1]
  }

  deinit {
    close(descriptor)
    close(signalled)
  }

  /// A full pipe is signalled already.
  public func signal() {
    var byte: UInt8 = 1
    _ = write(signalled, &byte, 1)
  }

  /// To be called by the thread that polls, once it is woken.
  public func reset() {
    withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { buffer in
      while read(descriptor, buffer.baseAddress, buffer.count) > 0 {}
    }
  }
}
