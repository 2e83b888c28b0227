// `HOST:PORT` as it is written in settings and on the command line.

import Glibc

/// A host with a port, e.g. `127.0.0.1:9464`, `broker.example:1883` or `[::1]:9464`.
public struct HostAndPort: Equatable, Sendable, CustomStringConvertible {
  /// A host name or an IP address, an IPv6 address without its brackets.
  public let host: String
  /// 0 to 65535; what 0 means is the reader's affair.
  public let port: Int

  public init(host: String, port: Int) {
    precondition((0...65_535).contains(port), "port out of range")
    self.host = host
    self.port = port
  }

  /// Parses `HOST:PORT`. An IPv6 address stands in brackets, or its end and the port could not be told
  /// apart (RFC 3986, section 3.2.2).
  ///
  /// - Returns: nil where the text is anything else.
  public init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":") else { return nil }
    guard let port = wholeNumber(text[text.index(after: colon)...]), port <= 65_535 else { return nil }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
      guard isIPv6Address(String(host)) else { return nil }
    } else {
      guard !host.contains(":"), isHost(String(host)) else { return nil }
    }
    self.init(host: String(host), port: Int(port))
  }

  public var description: String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}

/// Whether the text can be a host: an IP address or a name of letters, digits, `-`, `_` and `.`. That
/// the name exists is not asked.
func isHost(_ text: String) -> Bool {
  if isIPv6Address(text) { return true }
  guard (1...253).contains(text.utf8.count) else { return false }
  return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
    !label.isEmpty
      && label.unicodeScalars.allSatisfy {
        $0.isASCII && ($0.properties.isAlphabetic || isDigit($0)) || "-_".unicodeScalars.contains($0)
      }
  }
}

private func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

private func isIPv6Address(_ text: String) -> Bool {
  var address = in6_addr()
  return inet_pton(AF_INET6, text, &address) == 1
}
