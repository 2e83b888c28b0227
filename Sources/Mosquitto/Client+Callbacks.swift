// What the library calls: C functions that find their client in the context pointer.
//
// Thread: libmosquitto has no thread of its own here (no `mosquitto_loop_start`); it calls back only from
// inside a function that a method of `Client` has called, so on the owner's thread, and never two at a time.
// Lifetime: the context is an unretained pointer to the client. It cannot dangle, because during such a call
// the method's `self` is alive, and the library's client is destroyed in `deinit`.

import CMosquitto
import Glibc

extension Client {
  func installCallbacks() {
    mosquitto_connect_v5_callback_set(handle, onConnect)
    mosquitto_disconnect_v5_callback_set(handle, onDisconnect)
    mosquitto_message_v5_callback_set(handle, onMessage)
    mosquitto_subscribe_v5_callback_set(handle, onSubscribe)
    mosquitto_publish_v5_callback_set(handle, onPublish)
  }

  fileprivate static func from(_ context: UnsafeMutableRawPointer?) -> Client {
    guard let context else { preconditionFailure("libmosquitto lost the client's context") }
    return Unmanaged<Client>.fromOpaque(context).takeUnretainedValue()
  }

  fileprivate func inCallback(_ body: () -> Void) {
    packetsSeen += 1
    isInCallback = true
    body()
    isInCallback = false
  }
}

private typealias Properties = OpaquePointer

/// CONNACK. A refusal is only noted: the library ends the connection right after.
private func onConnect(
  _: OpaquePointer?, _ context: UnsafeMutableRawPointer?, reasonCode: Int32, flags: Int32, _: Properties?
) {
  let client = Client.from(context)
  guard reasonCode == 0 else {
    client.packetsSeen += 1
    client.reasonFromBroker = UInt8(truncatingIfNeeded: reasonCode)
    return
  }
  guard case .connecting = client.phase else { return }
  client.phase = .connected
  mosquitto_log_callback_set(client.handle, nil)
  client.inCallback { client.delegate?.connected(sessionPresent: flags & 1 != 0) }
}

/// The end of a connection, also called a second time after the broker's DISCONNECT: the first call counts. A
/// code from 0x80 on comes from the broker's packet, a smaller one is the library's own.
private func onDisconnect(
  _: OpaquePointer?, _ context: UnsafeMutableRawPointer?, reasonCode: Int32, _: Properties?
) {
  let client = Client.from(context)
  client.packetsSeen += 1
  if reasonCode >= 0x80 {
    client.reasonFromBroker = UInt8(truncatingIfNeeded: reasonCode)
  } else if client.endCode == 0 {
    client.endCode = reasonCode
  }
}

private func onMessage(
  _: OpaquePointer?, _ context: UnsafeMutableRawPointer?, message: UnsafePointer<mosquitto_message>?,
  _: Properties?
) {
  guard let message = message?.pointee, let topic = message.topic else { return }
  let client = Client.from(context)
  client.messagesSeen += 1
  if message.qos == 1 { client.withheldAcknowledgements += 1 }
  let view = MessageView(
    topic: UnsafeRawBufferPointer(start: topic, count: strlen(topic)),
    payload: UnsafeRawBufferPointer(start: message.payload, count: Int(message.payloadlen)),
    packetID: UInt16(truncatingIfNeeded: message.mid),
    qos: UInt8(truncatingIfNeeded: message.qos),
    retain: message.retain)
  client.inCallback { client.delegate?.received(view) }
}

private func onSubscribe(
  _: OpaquePointer?, _ context: UnsafeMutableRawPointer?, packetID: Int32, count: Int32,
  granted: UnsafePointer<Int32>?, _: Properties?
) {
  let client = Client.from(context)
  let codes = UnsafeBufferPointer(start: granted, count: Int(count)).map { UInt8(truncatingIfNeeded: $0) }
  client.inCallback { client.delegate?.subscribed(grantedQoS: codes) }
}

private func onPublish(
  _: OpaquePointer?, _ context: UnsafeMutableRawPointer?, packetID: Int32, reasonCode: Int32, _: Properties?
) {
  let client = Client.from(context)
  let code = UInt8(truncatingIfNeeded: reasonCode)
  client.inCallback {
    client.delegate?.published(packetID: UInt16(truncatingIfNeeded: packetID), reasonCode: code)
  }
}

/// Keeps the error lines of a connection attempt, for its error; OpenSSL's come as
/// `OpenSSL Error[0]: error:0A000086:SSL routines::certificate verify failed`.
func onLog(
  _: OpaquePointer?, _ context: UnsafeMutableRawPointer?, level: Int32, line: UnsafePointer<CChar>?
) {
  guard level == MOSQ_LOG_ERR, let line else { return }
  let text = String(cString: line)
  let reason = text.hasPrefix("OpenSSL Error") ? text.split(separator: ":").last.map(String.init) : nil
  Client.from(context).errorLines.append(reason ?? text)
}
