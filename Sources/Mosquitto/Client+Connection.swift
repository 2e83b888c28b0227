// How a connection begins and ends.
//
// Invariant: `phase` leaves `.idle` only in `connect()` and returns to it only in `end`, which tells the
// delegate, once, and after the library has returned: so that the delegate may connect again from there.

import CMosquitto
import Glibc

extension Client {
  /// Connects, or connects again with the same session after a connection ended. Blocks for name resolution
  /// and the TCP handshake, the latter no longer than `connectTimeoutMs`. The broker's answer comes in a
  /// later read turn, as `connected` or `connectFailed`; CONNECT itself waits for a write turn.
  public func connect() throws(MosquittoError) {
    precondition(!isInCallback && phase == .idle)
    try Reachability.check(host: options.host, port: options.port, timeoutMs: options.connectTimeoutMs)
    try openConnection()
  }

  /// The library's own connect, without looking first whether it would hang.
  func openConnection() throws(MosquittoError) {
    errorLines = []
    reasonFromBroker = 0
    endCode = 0
    withheldAcknowledgements = 0
    mayHoldMore = false
    // Only while connecting: with a log callback the library formats a line for every packet.
    mosquitto_log_callback_set(handle, onLog)

    var properties: OpaquePointer?
    defer { mosquitto_property_free_all(&properties) }
    try add(MQTT_PROP_SESSION_EXPIRY_INTERVAL, options.sessionExpirySeconds, to: &properties)
    if let maximumPacketBytes = options.maximumPacketBytes {
      try add(MQTT_PROP_MAXIMUM_PACKET_SIZE, maximumPacketBytes, to: &properties)
    }
    errno = 0
    let code = mosquitto_connect_bind_v5(
      handle, options.host, Int32(options.port), Int32(options.keepaliveSeconds), nil, properties)
    let systemError = errno
    guard code == MOSQ_ERR_SUCCESS.rawValue else { throw reason(code, systemError) }
    phase = .connecting(deadlineMs: monotonicMs() + options.connectTimeoutMs)
  }

  private func add(
    _ property: mqtt5_property, _ value: UInt32, to list: inout OpaquePointer?
  ) throws(MosquittoError) {
    let code = mosquitto_property_add_int32(&list, Int32(property.rawValue), value)
    guard code == MOSQ_ERR_SUCCESS.rawValue else {
      throw .library(operation: "set a property of CONNECT", code: code)
    }
  }

  /// Ends the connection if the library reports or shows that it is over.
  func connectionEnded(_ code: Int32, _ systemError: Int32) -> Bool {
    guard code != MOSQ_ERR_SUCCESS.rawValue || mosquitto_socket(handle) < 0 else { return false }
    // Where DISCONNECT ended the connection, the library's own code is success or "no connection".
    let libraryCode = endCode != MOSQ_ERR_SUCCESS.rawValue ? endCode : code
    end(phase == .disconnecting ? nil : reason(libraryCode, systemError))
    return true
  }

  /// libmosquitto takes a connection reset in the TLS handshake for a handshake in progress, forever, while
  /// poll reports the socket readable: look at the socket itself.
  func failDeadHandshake() {
    guard case .connecting = phase, options.tls != nil else { return }
    var byte: UInt8 = 0
    let peeked = recv(mosquitto_socket(handle), &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT))
    if peeked > 0 || (peeked < 0 && (errno == EAGAIN || errno == EINTR)) { return }
    abandon(
      tlsError(fallback: "the broker closed the connection during the handshake; is this its TLS port?"))
  }

  /// Ends a connection that the library would keep. It closes the socket at the next `connect()` or when the
  /// client is released; until then the socket is shut down and nobody looks at it.
  func abandon(_ error: MosquittoError?) {
    guard phase != .idle else { return }
    shutdown(mosquitto_socket(handle), Int32(SHUT_RDWR))
    end(error)
  }

  private func end(_ error: MosquittoError?) {
    let wasConnecting = if case .connecting = phase { true } else { false }
    phase = .idle
    withheldAcknowledgements = 0
    mayHoldMore = false
    mosquitto_log_callback_set(handle, nil)
    if wasConnecting, let error {
      delegate?.connectFailed(error)
    } else {
      delegate?.disconnected(error)
    }
  }

  var timedOut: MosquittoError {
    .timedOut(host: options.host, port: options.port, timeoutMs: options.connectTimeoutMs)
  }

  private func reason(_ code: Int32, _ systemError: Int32) -> MosquittoError {
    if reasonFromBroker != 0 {
      return phase == .connected
        ? .disconnectedByBroker(reasonCode: reasonFromBroker)
        : .refused(host: options.host, port: options.port, reasonCode: reasonFromBroker)
    }
    switch mosq_err_t(rawValue: code) {
    case MOSQ_ERR_CONN_LOST, MOSQ_ERR_SUCCESS, MOSQ_ERR_NO_CONN:
      return .connectionLost(errno: 0)
    case MOSQ_ERR_TLS: return tlsError(fallback: "no reason given")
    case MOSQ_ERR_ERRNO where systemError == EPROTO: return tlsError(fallback: "a broken TLS record")
    case MOSQ_ERR_ERRNO where phase == .idle:
      return .unreachable(host: options.host, port: options.port, errno: systemError)
    case MOSQ_ERR_ERRNO: return .connectionLost(errno: systemError)
    case MOSQ_ERR_EAI:
      return .unknownHost(host: options.host, reason: String(cString: gai_strerror(systemError)))
    case MOSQ_ERR_KEEPALIVE: return .keepaliveExpired
    case MOSQ_ERR_PROTOCOL, MOSQ_ERR_MALFORMED_PACKET: return .protocolViolation
    default: return .library(operation: phase == .idle ? "connect" : "read or write", code: code)
    }
  }

  private func tlsError(fallback: String) -> MosquittoError {
    let reason = errorLines.isEmpty ? fallback : errorLines.joined(separator: "; ")
    return .tls(host: options.host, port: options.port, reason: reason)
  }
}
