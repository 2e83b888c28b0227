// A TCP connection made and dropped, with a deadline, before the library is asked to connect.
//
// `mosquitto_connect_bind_v5` calls a blocking connect(2): towards a host that drops packets it hangs for
// over two minutes (net.ipv4.tcp_syn_retries). The library's asynchronous variant takes no MQTT 5
// properties and gives up after the first address of a host name. So this looks first: it tries the
// addresses in the order in which the library will, and fails where the library would hang.
//
// What remains: name resolution has the resolver's own timeout (resolv.conf), and a host that vanishes in
// the instant between the two connections still blocks the library.

import Glibc

/// Milliseconds of the monotonic clock.
func monotonicMs() -> Int {
  var now = timespec()
  clock_gettime(CLOCK_MONOTONIC, &now)
  return now.tv_sec * 1000 + now.tv_nsec / 1_000_000
}

/// Waits until `descriptor` has one of `events`, an error or a hang-up, or `deadlineMs` is past; returns what
/// it has, 0 at the deadline. A signal only shortens the wait's slices, not the wait.
func pollUntil(_ deadlineMs: Int, _ descriptor: Int32, _ events: Int32) -> Int32 {
  while true {
    var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
    let remainingMs = max(0, deadlineMs - monotonicMs())
    let ready = poll(&entry, 1, Int32(clamping: remainingMs))
    if ready > 0 { return Int32(entry.revents) }
    if ready == 0 || errno != EINTR { return 0 }
  }
}

enum Reachability {
  /// Returns if a TCP connection to the first address that does not refuse one comes about in time.
  static func check(host: String, port: UInt16, timeoutMs: Int) throws(MosquittoError) {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var addresses: UnsafeMutablePointer<addrinfo>?
    let resolved = getaddrinfo(host, String(port), &hints, &addresses)
    guard resolved == 0 else {
      throw .unknownHost(host: host, reason: String(cString: gai_strerror(resolved)))
    }
    defer { freeaddrinfo(addresses) }

    let deadlineMs = monotonicMs() + timeoutMs
    var lastError = EADDRNOTAVAIL
    var next = addresses
    while let address = next?.pointee {
      switch tryConnect(address, deadlineMs) {
      case 0: return
      case ETIMEDOUT: throw .timedOut(host: host, port: port, timeoutMs: timeoutMs)
      case let error: lastError = error
      }
      next = address.ai_next
    }
    throw .unreachable(host: host, port: port, errno: lastError)
  }

  /// 0 once connected, ETIMEDOUT at the deadline, else the error of connect(2).
  private static func tryConnect(_ address: addrinfo, _ deadlineMs: Int) -> Int32 {
    let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = socket(address.ai_family, address.ai_socktype | flags, address.ai_protocol)
    guard descriptor >= 0 else { return errno }
    defer { close(descriptor) }

    if connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 { return 0 }
    guard errno == EINPROGRESS else { return errno }
    guard pollUntil(deadlineMs, descriptor, POLLOUT) != 0 else { return ETIMEDOUT }
    var error: Int32 = 0
    var errorBytes = socklen_t(MemoryLayout<Int32>.size)
    getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &errorBytes)
    return error
  }
}
