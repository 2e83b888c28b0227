// A broker of three packets, for the self test: it takes one connection on the loopback interface and sends
// raw MQTT 5 bytes. It shares no code with libmosquitto, so it sees what really leaves the client.
//
// Invariants: every wait ends at the deadline given at the start; the sockets close with the value.

import Glibc

struct ScriptedBroker: ~Copyable {
  let port: UInt16
  private let listener: Int32
  private var connection: Int32 = -1
  private let deadlineMs: Int

  /// Listens on a free port of 127.0.0.1.
  init(deadlineMs: Int) throws(MosquittoError) {
    self.deadlineMs = deadlineMs
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    port = try Self.listen(on: listener)
  }

  deinit {
    if connection >= 0 { close(connection) }
    if listener >= 0 { close(listener) }
  }

  private static func listen(on listener: Int32) throws(MosquittoError) -> UInt16 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    var addressBytes = socklen_t(MemoryLayout<sockaddr_in>.size)
    let failure = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        bind(listener, generic, addressBytes) == 0 && Glibc.listen(listener, 1) == 0
          && getsockname(listener, generic, &addressBytes) == 0 ? 0 : errno
      }
    }
    guard failure == 0 else { throw .selfTestFailed(step: "listen on 127.0.0.1", errno: failure) }
    return UInt16(bigEndian: address.sin_port)
  }

  /// Takes the client's connection; returns its CONNECT.
  @discardableResult
  mutating func acceptConnect() throws(MosquittoError) -> [UInt8] {
    guard pollUntil(deadlineMs, listener, POLLIN) != 0 else {
      throw .selfTestFailed(step: "accept the client's connection", errno: ETIMEDOUT)
    }
    connection = accept(listener, nil, nil)
    guard connection >= 0 else {
      throw .selfTestFailed(step: "accept the client's connection", errno: errno)
    }
    let packet = try receivePacket("receive CONNECT")
    guard packet.first == 0x10 else { throw .selfTestFailed(step: "receive CONNECT", errno: EPROTO) }
    return packet
  }

  /// Sends `bytes` in one piece.
  func send(_ bytes: [UInt8]) throws(MosquittoError) {
    guard Glibc.send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
      throw .selfTestFailed(step: "send to the client", errno: errno)
    }
  }

  /// Whether anything comes from the client within `timeoutMs`.
  func receivesAnything(withinMs timeoutMs: Int) -> Bool {
    pollUntil(monotonicMs() + timeoutMs, connection, POLLIN) != 0
  }

  /// The next packet, its fixed header included (MQTT 5, section 2.1).
  func receivePacket(_ step: String) throws(MosquittoError) -> [UInt8] {
    var packet = [try receiveByte(step)]
    var length = 0
    var shift = 0
    repeat {
      packet.append(try receiveByte(step))
      length |= Int(packet[packet.count - 1] & 0x7F) << shift
      shift += 7
    } while packet[packet.count - 1] & 0x80 != 0 && shift < 28
    for _ in 0..<length { packet.append(try receiveByte(step)) }
    return packet
  }

  private func receiveByte(_ step: String) throws(MosquittoError) -> UInt8 {
    guard pollUntil(deadlineMs, connection, POLLIN) != 0 else {
      throw .selfTestFailed(step: step, errno: ETIMEDOUT)
    }
    var byte: UInt8 = 0
    guard recv(connection, &byte, 1, 0) == 1 else { throw .selfTestFailed(step: step, errno: ECONNRESET) }
    return byte
  }
}
