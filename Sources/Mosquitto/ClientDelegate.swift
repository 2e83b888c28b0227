// What a client tells its owner, and the view of a message it hands out.

/// Receives a client's events, always on the thread that called `connect` or a turn, and from inside it.
///
/// Each `connect()` that returns is followed by exactly one of `connected` and `connectFailed`, each
/// `connected` by exactly one `disconnected`, unless the client is released first. `disconnect()` before the
/// broker's answer is reported as `disconnected`.
///
/// From `connected`, `received`, `subscribed` and `published` the client may be asked to subscribe and to
/// publish, which only queues; turns and `connect()` are bugs there, because the library is in the middle
/// of a packet. From `connectFailed` and `disconnected` anything is allowed.
public protocol ClientDelegate: AnyObject {
  /// The broker accepted the connection. `sessionPresent` is false if it does not know (any more) the
  /// session asked for: subscriptions are gone, and with them what was sent meanwhile.
  func connected(sessionPresent: Bool)

  /// The connection begun by `connect()` did not come about.
  func connectFailed(_ reason: MosquittoError)

  /// The connection ended; `reason` is nil if `disconnect()` asked for it.
  func disconnected(_ reason: MosquittoError?)

  /// A message arrived. Its acknowledgement goes out in the next write turn, not before.
  func received(_ message: borrowing MessageView)

  /// The broker answered a subscription, one entry per filter in the order asked: the QoS granted, or a
  /// reason code from 0x80 on for a filter it refused (MQTT 5, section 3.9.3).
  func subscribed(grantedQoS: [UInt8])

  /// The broker acknowledged a QoS 1 message. A reason code from 0x80 on says that it did not take it (MQTT
  /// 5, section 3.4.2.1).
  func published(packetID: UInt16, reasonCode: UInt8)
}

/// A received message, in the library's memory.
///
/// Invariant: the two buffers are valid during `ClientDelegate.received` only. The view cannot be copied, so
/// that keeping one takes intent.
public struct MessageView: ~Copyable {
  /// The topic's UTF-8 bytes, without a terminating zero.
  public let topic: UnsafeRawBufferPointer

  /// The payload; may be empty.
  public let payload: UnsafeRawBufferPointer

  /// The packet identifier, 0 at QoS 0. A message sent again on a resumed session keeps its own.
  public let packetID: UInt16

  /// 0 or 1.
  public let qos: UInt8

  /// Whether the broker had kept the message before the subscription was made.
  public let retain: Bool
}
