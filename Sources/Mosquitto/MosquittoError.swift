// Everything that can go wrong between this process and a broker, each as one sentence that an operator
// can act on.

import CMosquitto
import Glibc

/// Why an MQTT operation failed, a connection did not come about, or one ended.
public enum MosquittoError: Error, Equatable, Sendable {
  /// An option the library or the protocol does not take.
  case invalidOption(String)

  /// A file named in the TLS options cannot be read.
  case unreadableFile(path: String, errno: Int32)

  /// The host name has no address.
  case unknownHost(host: String, reason: String)

  /// No TCP connection: refused, no route, network down.
  case unreachable(host: String, port: UInt16, errno: Int32)

  /// Nobody answered in time: neither the TCP handshake nor, once connected, CONNECT.
  case timedOut(host: String, port: UInt16, timeoutMs: Int)

  /// TLS failed; `reason` holds what OpenSSL said.
  case tls(host: String, port: UInt16, reason: String)

  /// The broker refused CONNECT; `reasonCode` is that of MQTT 5, section 3.2.2.2.
  case refused(host: String, port: UInt16, reasonCode: UInt8)

  /// The broker sent DISCONNECT; `reasonCode` is that of MQTT 5, section 3.14.2.1.
  case disconnectedByBroker(reasonCode: UInt8)

  /// The connection ended with no word from the broker; `errno` is 0 if the broker closed it.
  case connectionLost(errno: Int32)

  /// The broker answered no PINGREQ within the keep alive.
  case keepaliveExpired

  /// The broker answered no SUBSCRIBE in time.
  case subscriptionUnanswered(timeoutMs: Int)

  /// The broker sent what is not MQTT 5.
  case protocolViolation

  /// The operation needs a connection and there is none.
  case notConnected

  /// The library failed in a way that has no case of its own.
  case library(operation: String, code: Int32)

  /// An acknowledgement left, or could have left, before the write turn: messages could be lost.
  case acknowledgementsNotWithheld(detail: String)

  /// The self test of `AcknowledgementCheck` could not be carried out.
  case selfTestFailed(step: String, errno: Int32)
}

extension MosquittoError: CustomStringConvertible {
  /// One sentence for the operator, without a full stop and without any secret.
  public var description: String {
    switch self {
    case .invalidOption(let detail):
      "invalid MQTT option: \(detail)"
    case .unreadableFile(let path, let error):
      "cannot read \(path): \(errorText(error))"
    case .unknownHost(let host, let reason):
      "cannot resolve the broker's host name \(host): \(reason)"
    case .unreachable(let host, let port, let error):
      "cannot connect to the broker at \(host):\(port): \(errorText(error))"
    case .timedOut(let host, let port, let timeoutMs):
      "the broker at \(host):\(port) did not answer within \(timeoutMs) ms"
    case .tls(let host, let port, let reason):
      "TLS with the broker at \(host):\(port) failed: \(reason)"
    case .refused(let host, let port, let reasonCode):
      "the broker at \(host):\(port) refused the connection: \(refusalText(reasonCode))"
    case .disconnectedByBroker(let reasonCode):
      "the broker ended the connection: \(Library.reasonText(reasonCode))"
    case .connectionLost(0):
      "the broker closed the connection"
    case .connectionLost(let error):
      "the connection to the broker was lost: \(errorText(error))"
    case .keepaliveExpired:
      "the broker did not answer a ping within the keep alive"
    case .subscriptionUnanswered(let timeoutMs):
      "the broker did not answer the subscription within \(timeoutMs) ms"
    case .protocolViolation:
      "the broker sent something that is not MQTT 5"
    case .notConnected:
      "not connected to the broker"
    case .library(let operation, let code):
      "libmosquitto \(Library.version) failed to \(operation): \(Library.errorText(code))"
    case .acknowledgementsNotWithheld(let detail):
      "libmosquitto \(Library.version) does not withhold acknowledgements, messages could be lost: \(detail)"
    case .selfTestFailed(let step, let error):
      "the self test of libmosquitto \(Library.version) failed to \(step): \(errorText(error))"
    }
  }

  /// Reason codes 0x86 and 0x87 are what a wrong password gives, which of the two depends on the broker.
  private func refusalText(_ reasonCode: UInt8) -> String {
    let text = Library.reasonText(reasonCode)
    guard reasonCode == 0x86 || reasonCode == 0x87 else { return text }
    return "\(text) (check the user name and the password)"
  }

  private func errorText(_ error: Int32) -> String {
    error == 0 ? "no reason given" : String(cString: strerror(error))
  }
}
