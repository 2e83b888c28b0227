// The options, handed to the library once.

import CMosquitto
import Glibc

extension Client {
  func configure() throws(MosquittoError) {
    guard options.port > 0 else { throw .invalidOption("the port is 0") }
    guard options.keepaliveSeconds == 0 || options.keepaliveSeconds >= 5 else {
      throw .invalidOption("a keep alive of \(options.keepaliveSeconds) s; it is 0 or at least 5 s")
    }
    guard options.receiveMaximum > 0, options.sendMaximum > 0 else {
      throw .invalidOption("a receive or send maximum of 0")
    }
    try set(MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5)
    try set(MOSQ_OPT_RECEIVE_MAXIMUM, Int32(options.receiveMaximum))
    try set(MOSQ_OPT_SEND_MAXIMUM, Int32(options.sendMaximum))
    try set(MOSQ_OPT_TCP_NODELAY, 1)
    if options.username != nil || options.password != nil {
      let code = mosquitto_username_pw_set(handle, options.username, options.password?.text)
      guard code == MOSQ_ERR_SUCCESS.rawValue else {
        throw .invalidOption("the user name or the password is not UTF-8")
      }
    }
    if let tls = options.tls { try configure(tls) }
  }

  private func configure(_ tls: TLSOptions) throws(MosquittoError) {
    guard (tls.certificateFile == nil) == (tls.keyFile == nil) else {
      throw .invalidOption("a TLS certificate and its key go together, and one is missing")
    }
    for path in [tls.caFile, tls.certificateFile, tls.keyFile] {
      guard let path, access(path, R_OK) != 0 else { continue }
      throw .unreadableFile(path: path, errno: errno)
    }
    let code = mosquitto_tls_set(
      handle, tls.caFile, nil, tls.certificateFile, tls.keyFile, refusePassphrase)
    guard code == MOSQ_ERR_SUCCESS.rawValue else { throw .library(operation: "set up TLS", code: code) }
  }

  private func set(_ option: mosq_opt_t, _ value: Int32) throws(MosquittoError) {
    let code = mosquitto_int_option(handle, option, value)
    guard code == MOSQ_ERR_SUCCESS.rawValue else { throw .library(operation: "set an option", code: code) }
  }
}

/// Without a callback of its own OpenSSL asks for a key's passphrase on the terminal, and waits.
private func refusePassphrase(
  _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int32, _ isWriting: Int32,
  _ context: UnsafeMutableRawPointer?
) -> Int32 {
  -1
}
