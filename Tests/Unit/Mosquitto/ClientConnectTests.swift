// The ways in which a connection does not come about, each with an error that says why.

import Foundation
import TestSupport
import Testing

@testable import Mosquitto

@Suite struct `Client connection` {
  private func failure(
    _ options: ConnectOptions, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> MosquittoError {
    let client = try TestClient(options)
    do {
      try client.client.connect()
    } catch {
      // A TLS handshake fails at once if the broker is quick enough.
      return error
    }
    try client.drive(sourceLocation: sourceLocation) { !client.events.failures.isEmpty }
    #expect(client.events.sessionsPresent.isEmpty && client.events.endings.isEmpty)
    #expect(client.client.socket == -1 && !client.client.wantsWrite)
    return try #require(client.events.failures.first)
  }

  @Test func `A wrong password is refused, the right one is not, and no text shows it`() throws {
    var brokerOptions = PrivateBroker.Options()
    brokerOptions.login = ("gateway", "right-password")
    let broker = try PrivateBroker(brokerOptions)
    var options = ConnectOptions(host: broker.host, port: broker.port, clientID: "c")
    options.username = "gateway"
    options.password = "wrong-password"
    let error = try failure(options)
    guard case .refused(broker.host, broker.port, let reasonCode) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(reasonCode == 0x86 || reasonCode == 0x87)
    #expect(error.description.contains("check the user name and the password"))

    var dumped = ""
    dump(options, to: &dumped)
    for text in ["\(options)", String(reflecting: options), dumped, "\(error)"] {
      #expect(!text.contains("wrong-password"))
    }

    options.password = "right-password"
    try TestClient(options).connect()
  }

  @Test func `A port that nobody listens on is an error at once`() throws {
    let port = try freePort()
    let client = try Client(ConnectOptions(host: "127.0.0.1", port: port, clientID: "c"))
    #expect(throws: MosquittoError.unreachable(host: "127.0.0.1", port: port, errno: ECONNREFUSED)) {
      try client.connect()
    }
    #expect(client.socket == -1)
  }

  @Test func `A host name without an address is an error that names it`() throws {
    let client = try Client(ConnectOptions(host: "no-such-host.invalid", port: 1883, clientID: "c"))
    let error = #expect(throws: MosquittoError.self) { try client.connect() }
    guard case .unknownHost("no-such-host.invalid", _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func `A host that drops packets is an error after the time-out, not after minutes`() throws {
    // On Linux a listener whose backlog is full drops what else would connect.
    let listener = try SilentListener(backlog: 0)
    let filler = try SilentListener.fillBacklog(of: listener)
    defer { filler.forEach { close($0) } }
    var options = ConnectOptions(host: "127.0.0.1", port: listener.port, clientID: "c")
    options.connectTimeoutMs = 200
    let client = try Client(options)
    let start = Date()
    #expect(throws: MosquittoError.timedOut(host: "127.0.0.1", port: listener.port, timeoutMs: 200)) {
      try client.connect()
    }
    #expect(Date().timeIntervalSince(start) < 3)
  }

  @Test(arguments: [false, true])
  func `A server that accepts and says nothing is given up after the time-out`(tls: Bool) throws {
    let certificates = try TestCertificates()
    let listener = try SilentListener(backlog: 8)
    var options = ConnectOptions(host: "127.0.0.1", port: listener.port, clientID: "c")
    options.connectTimeoutMs = 200
    if tls { options.tls = TLSOptions(caFile: certificates.caFile) }
    #expect(try failure(options) == .timedOut(host: "127.0.0.1", port: listener.port, timeoutMs: 200))
  }

  @Test func `TLS works with the broker's authority and a client certificate`() throws {
    var brokerOptions = PrivateBroker.Options()
    let certificates = try TestCertificates()
    brokerOptions.certificates = certificates
    brokerOptions.requiresClientCertificate = true
    let broker = try PrivateBroker(brokerOptions)
    for host in ["127.0.0.1", "localhost"] {
      var options = ConnectOptions(host: host, port: broker.port, clientID: "c")
      options.tls = TLSOptions(
        caFile: certificates.caFile, certificateFile: certificates.clientFile,
        keyFile: certificates.clientKeyFile)
      let client = try TestClient(options)
      try client.connect()
      try client.publish("t", numbered(3))
    }
  }

  @Test func `An unknown authority is refused with OpenSSL's reason`() throws {
    var brokerOptions = PrivateBroker.Options()
    brokerOptions.certificates = try TestCertificates()
    let broker = try PrivateBroker(brokerOptions)
    var options = ConnectOptions(host: broker.host, port: broker.port, clientID: "c")
    let strangers = try TestCertificates()
    options.tls = TLSOptions(caFile: strangers.caFile)
    let error = try failure(options)
    guard case .tls(broker.host, broker.port, let reason) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(reason.contains("certificate verify failed"))
  }

  @Test func `A certificate made out to another host is refused`() throws {
    var brokerOptions = PrivateBroker.Options()
    brokerOptions.certificates = try TestCertificates(serverNames: "DNS:other.example")
    let broker = try PrivateBroker(brokerOptions)
    var options = ConnectOptions(host: broker.host, port: broker.port, clientID: "c")
    options.tls = brokerOptions.certificates.map { TLSOptions(caFile: $0.caFile) }
    let error = try failure(options)
    guard case .tls(_, _, let reason) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(reason.contains("host name verification failed"))
  }

  @Test func `An encrypted key is an error, not a question on the terminal`() throws {
    var brokerOptions = PrivateBroker.Options()
    let certificates = try TestCertificates()
    brokerOptions.certificates = certificates
    let broker = try PrivateBroker(brokerOptions)
    let encrypted = certificates.clientKeyFile + ".encrypted"
    try ChildProcess.run(
      "/usr/bin/openssl",
      ["pkey", "-in", certificates.clientKeyFile, "-aes256", "-passout", "pass:secret", "-out", encrypted])
    var options = ConnectOptions(host: broker.host, port: broker.port, clientID: "c")
    options.tls = TLSOptions(
      caFile: certificates.caFile, certificateFile: certificates.clientFile, keyFile: encrypted)
    let error = try failure(options)
    guard case .tls(_, _, let reason) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(reason.contains(encrypted))
  }

  @Test func `TLS towards a plain port, and the other way round, fails soon`() throws {
    let certificates = try TestCertificates()
    let plain = try PrivateBroker()
    var options = ConnectOptions(host: plain.host, port: plain.port, clientID: "c")
    options.tls = TLSOptions(caFile: certificates.caFile)
    let start = Date()
    let error = try failure(options)
    guard case .tls = error else {
      Issue.record("\(error)")
      return
    }

    var brokerOptions = PrivateBroker.Options()
    brokerOptions.certificates = certificates
    let secured = try PrivateBroker(brokerOptions)
    let plainError = try failure(ConnectOptions(host: secured.host, port: secured.port, clientID: "c"))
    #expect(plainError == .connectionLost(errno: 0))
    #expect(Date().timeIntervalSince(start) < 4, "neither waited for its time-out")
  }

  @Test func `Options that cannot work are refused before anything is sent`() throws {
    var options = ConnectOptions(host: "127.0.0.1", port: 1883, clientID: "c")
    options.tls = TLSOptions(caFile: "/nonexistent/ca.crt")
    #expect(throws: MosquittoError.unreadableFile(path: "/nonexistent/ca.crt", errno: ENOENT)) {
      _ = try Client(options)
    }
    options.tls = nil
    options.keepaliveSeconds = 3
    #expect(throws: MosquittoError.self) { _ = try Client(options) }
  }

  @Test func `A client id that MQTT cannot carry is refused, and nobody else's file is closed`() throws {
    // What the library would close (Client.init).
    var before = stat()
    try #require(fstat(STDIN_FILENO, &before) == 0)
    for clientID in ["", "a\0b", "a\u{1}b", "\u{FFFF}", String(repeating: "a", count: 70_000)] {
      let options = ConnectOptions(host: "127.0.0.1", port: 1883, clientID: clientID)
      let error = #expect(throws: MosquittoError.self) { _ = try Client(options) }
      guard case .invalidOption = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
    }
    var after = stat()
    try #require(fstat(STDIN_FILENO, &after) == 0)
    #expect(after.st_ino == before.st_ino && after.st_dev == before.st_dev)
  }
}

/// A socket that listens and never answers.
private final class SilentListener {
  let descriptor: Int32
  let port: UInt16

  init(backlog: Int32) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    port = try freePort()
    var address = Self.address(port)
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isListening = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) == 0 }
    }
    try #require(isListening && listen(descriptor, backlog) == 0)
  }

  deinit {
    close(descriptor)
  }

  /// Connections that nobody accepts, until one more would not be answered.
  static func fillBacklog(of listener: SilentListener) throws -> [Int32] {
    var connections: [Int32] = []
    while connections.count < 20 {
      let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
      connections.append(connection)
      var address = Self.address(listener.port)
      let size = socklen_t(MemoryLayout<sockaddr_in>.size)
      withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = connect(connection, $0, size) }
      }
      if pollUntil(monotonicMs() + 100, connection, POLLOUT) == 0 { return connections }
    }
    Issue.record("the backlog does not fill")
    return connections
  }

  private static func address(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
  }
}
