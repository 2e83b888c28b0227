// A client of bytes: what a browser would never send, and what comes back.

import Foundation

/// One connection to a server on 127.0.0.1. Every wait ends after ten seconds.
public final class HTTPExchange {
  private let descriptor: Int32

  public init(port: Int) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var limit = timeval(tv_sec: 10, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let isConnected = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard isConnected else { throw ChildProcess.Failure(description: "cannot connect: errno \(errno)") }
  }

  deinit { close(descriptor) }

  /// False where the server does not want any more.
  @discardableResult
  public func send(_ text: String) -> Bool {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes {
        Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count <= 0 { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }

  /// All that comes until the server closes the connection; nil if it does not.
  public func answer() -> String? {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      if count < 0 { return errno == ECONNRESET ? String(decoding: bytes, as: UTF8.self) : nil }
      if count == 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes += buffer[..<count]
    }
  }

  /// One request on a connection of its own.
  public static func ask(
    _ port: Int, _ path: String, method: String = "GET", host: String? = "localhost", headers: [String] = [],
    body: String = ""
  ) throws -> HTTPAnswer {
    let exchange = try HTTPExchange(port: port)
    let lines = ["\(method) \(path) HTTP/1.1"] + (host.map { ["Host: \($0)"] } ?? []) + headers
    exchange.send((lines + ["Connection: close", "", ""]).joined(separator: "\r\n") + body)
    guard let text = exchange.answer(), let answer = HTTPAnswer(text) else {
      throw ChildProcess.Failure(description: "no answer to \(method) \(path)")
    }
    return answer
  }
}

/// A server's answer to a request.
public struct HTTPAnswer {
  public let status: Int
  /// By name in lower case.
  public let headers: [String: String]
  public let body: String

  public init?(_ text: String) {
    guard let end = text.range(of: "\r\n\r\n") else { return nil }
    let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
    guard let status = lines[0].split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
      return nil
    }
    self.status = status
    let fields = lines.dropFirst().map { line in
      let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
      return (parts[0].lowercased(), parts.count > 1 ? parts[1] : "")
    }
    headers = Dictionary(fields) { $0 + ", " + $1 }
    body = String(text[end.upperBound...])
  }
}
