// One GET over a plain socket: all of HTTP that `stepgate status` needs. (Foundation's own client would bring curl
// into the program.)
//
// Invariants: nothing takes longer than `timeoutSeconds` between two bytes; an answer has a bound.

import Gateway
import Glibc
import Settings

/// Why there is no answer, as one line.
struct StatusClientError: Error, CustomStringConvertible {
  let description: String
}

/// Asks a gateway.
struct StatusClient {
  private static let timeoutSeconds = 5
  private static let answerBytes = 4 << 20

  let server: HostAndPort

  /// - Parameter url: `http://HOST[:PORT]`; a path is ignored. Nil for any other text.
  init?(url: String) {
    let scheme = "http://"
    guard url.hasPrefix(scheme) else { return nil }
    let authority = String(url.dropFirst(scheme.count).prefix { $0 != "/" })
    guard let server = HostAndPort(authority) ?? HostAndPort(authority + ":80") else { return nil }
    self.server = server
  }

  /// The body of the answer.
  func get(_ path: String) throws(StatusClientError) -> [UInt8] {
    let socket = try connected()
    defer { close(socket) }
    try send("GET \(path) HTTP/1.1\r\nHost: \(server)\r\nConnection: close\r\n\r\n", to: socket)
    return try body(of: try readAll(from: socket))
  }

  private func connected() throws(StatusClientError) -> CInt {
    var hints = addrinfo()
    hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(server.host, "\(server.port)", &hints, &found)
    guard code == 0 else {
      throw StatusClientError(
        description: "cannot resolve the host name \(server.host): \(String(cString: gai_strerror(code)))")
    }
    defer { freeaddrinfo(found) }
    var failure = ECONNREFUSED
    var next = found
    while let address = next?.pointee {
      let descriptor = socket(address.ai_family, address.ai_socktype, address.ai_protocol)
      if descriptor >= 0 {
        limitTime(of: descriptor)
        if connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 { return descriptor }
      }
      failure = errno
      if descriptor >= 0 { close(descriptor) }
      next = address.ai_next
    }
    throw StatusClientError(
      description:
        "no gateway answers at \(server): \(String(cString: strerror(failure))); is it running, and is --url its http.listen?"
    )
  }

  // Holds for connecting too (socket(7), SO_SNDTIMEO).
  private func limitTime(of socket: CInt) {
    var limit = timeval(tv_sec: Self.timeoutSeconds, tv_usec: 0)
    let bytes = socklen_t(MemoryLayout<timeval>.size)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, bytes)
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, bytes)
  }

  private func send(_ text: String, to socket: CInt) throws(StatusClientError) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(socket, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw failure("cannot ask") }
      rest = rest.dropFirst(count)
    }
  }

  private func readAll(from socket: CInt) throws(StatusClientError) -> [UInt8] {
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = read(socket, &buffer, buffer.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw failure("no answer from") }
      if count == 0 { return answer }
      answer += buffer[..<count]
      guard answer.count <= Self.answerBytes else {
        throw StatusClientError(description: "the answer from \(server) is too long")
      }
    }
  }

  private func failure(_ what: String) -> StatusClientError {
    let reason = errno == EAGAIN ? "nothing for \(Self.timeoutSeconds) s" : String(cString: strerror(errno))
    return StatusClientError(description: "\(what) \(server): \(reason)")
  }

  /// What follows the header of a good answer (RFC 9112, section 2.1), which ends with its Content-Length, or with
  /// the connection.
  private func body(of answer: [UInt8]) throws(StatusClientError) -> [UInt8] {
    let separator = Array("\r\n\r\n".utf8)
    let end = answer.indices.first { answer[$0...].starts(with: separator) }
    guard let end, answer.starts(with: Array("HTTP/1.".utf8)) else {
      throw StatusClientError(description: "\(server) does not speak HTTP")
    }
    let lines = String(decoding: answer[..<end], as: UTF8.self).split(separator: "\r\n")
    let status = lines.first?.split(separator: " ").dropFirst().joined(separator: " ") ?? ""
    guard status.hasPrefix("200") else {
      throw StatusClientError(description: "\(server) answers: \(status)")
    }
    return Array(answer[(end + separator.count)...])
  }
}
