// Tells the service manager how the service is doing: datagrams of `KEY=value` lines to the socket that it named,
// as sd_notify(3) describes. Nothing of libsystemd is needed for that.
//
// Invariant: without a service manager, or with one that does not read, nothing happens and nothing waits for long.

import Glibc

/// Sends to the socket of `NOTIFY_SOCKET`.
public final class Notifier: Sendable {
  // A manager that does not read must not hold up who sends.
  private static let sendTimeoutMs = 500

  private let address: [UInt8]
  private let descriptor: Int32

  /// - Parameter environment: `NOTIFY_SOCKET` is a path or, with `@` first, an abstract name (unix(7)). Without it,
  ///   or with another kind of address, nothing is ever sent.
  public init(environment: [String: String]) {
    guard let address = Self.socketAddress(environment["NOTIFY_SOCKET"] ?? "") else {
      (self.address, descriptor) = ([], -1)
      return
    }
    self.address = address
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var timeout = timeval(tv_sec: 0, tv_usec: Self.sendTimeoutMs * 1000)
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// The bytes of a `sockaddr_un` for a name.
  private static func socketAddress(_ name: String) -> [UInt8]? {
    guard name.utf8.count > 1, name.hasPrefix("/") || name.hasPrefix("@") else { return nil }
    // An abstract name begins with NUL instead of @ and ends with the address; a path ends with NUL.
    let path = name.hasPrefix("@") ? [0] + Array(name.utf8.dropFirst()) : Array(name.utf8) + [0]
    guard path.count <= MemoryLayout.size(ofValue: sockaddr_un().sun_path) else { return nil }
    return withUnsafeBytes(of: sa_family_t(AF_UNIX)) { Array($0) } + path
  }

  /// Whether somebody listens.
  var isUsed: Bool { descriptor >= 0 }

  /// Sends assignments such as `READY=1` as one message.
  func send(_ assignments: String...) {
    guard isUsed else { return }
    // A value ends with its line.
    let message = assignments.map { $0.replacing("\n", with: " ") }.joined(separator: "\n")
    let bytes = Array(message.utf8)
    address.withUnsafeBytes { address in
      guard let start = address.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return }
      // What cannot be told is not worth more: the manager notices by itself if the service is gone.
      _ = sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), start, socklen_t(address.count))
    }
  }

  /// The clock that `MONOTONIC_USEC` is read by.
  static var monotonicUs: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000
  }
}

/// How often the service manager wants a sign of life, in milliseconds; nil if it does not watch this process
/// (sd_watchdog_enabled(3)).
public func watchdogMs(environment: [String: String], processID: Int32 = getpid()) -> Int? {
  guard let us = environment["WATCHDOG_USEC"].flatMap({ Int($0) }), us > 0 else { return nil }
  if let pid = environment["WATCHDOG_PID"], pid != "\(processID)" { return nil }
  return max(1, us / 1000)
}
