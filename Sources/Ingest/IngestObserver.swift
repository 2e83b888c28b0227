// What the ingest loop tells of.

import Mosquitto

/// Told of what happens to the connection, on the ingest thread.
public protocol IngestObserver: AnyObject {
  /// Connected and subscribed: messages come from now on.
  /// - Parameter isComplete: whether the broker granted all subscriptions.
  func subscribed(sessionPresent: Bool, isComplete: Bool)
  /// The broker refused this subscription (MQTT 5, section 3.9.3).
  func subscriptionRefused(_ filter: String, reasonCode: UInt8)
  func connectFailed(_ reason: MosquittoError, retryInMs: Int)
  func disconnected(_ reason: MosquittoError?)
  /// The broker has forgotten the session: what it took since `fromMs` (milliseconds since 1970-01-01 UTC) may be
  /// lost.
  func sessionLost(fromMs: Int64, toMs: Int64)
  /// The disk has less room than is to be left free, or has enough again. Without room nothing is read: the
  /// connection is given up, and the broker keeps the messages.
  func roomChanged(isLow: Bool, freeBytes: Int, minFreeBytes: Int)
  /// The loop was woken from outside, to stop or to look at something.
  func wokenUp()
  /// About once a second: for what is worth telling without being asked.
  func secondPassed()
}
