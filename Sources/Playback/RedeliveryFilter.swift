// Recognises messages that the broker sends again because an acknowledgement did not reach it.
//
// What is known: acknowledgements leave in the order of the messages, over a connection that keeps order, so
// what a broker has not seen acknowledged is an end of the sequence of messages it sent. On a resumed session
// it sends them again first, in their order and with their packet ids (MQTT 5, sections 4.4 and 4.6), and
// only then new ones. The DUP flag is not needed, and must not be trusted (section 3.3.1.1).
//
// Invariants:
// - A message is dropped only if the connection has brought nothing new yet, and id and content are those of
//   an earlier message, behind the one that was dropped before it.
// - A broker that numbers messages one after the other uses an id again after 65,535 messages; only younger
//   ones count. So two devices that publish the same bytes, even all the time, are not confused with it.

import Journal
import Storage

/// Remembers the last message of every packet id.
public struct RedeliveryFilter: Sendable {
  static let packetIDs = 1 << 16

  var contents = [UInt64](repeating: 0, count: packetIDs)
  /// The number of the last message with an id, counted from 1; 0 is none.
  var numbers = [Int](repeating: 0, count: packetIDs)
  var count = 0
  /// When the session was last known to exist; nil before the first.
  public internal(set) var lastContactMs: Int64?
  /// The number of the last message that was recognised on this connection.
  private var lastRepeated = 0
  private var mayRepeat = false

  public init() {}

  /// A connection began. Without a session nothing is sent again, and ids start anew.
  public mutating func connected(sessionPresent: Bool) {
    if !sessionPresent { forget() }
    lastRepeated = 0
    mayRepeat = sessionPresent
  }

  private mutating func forget() {
    let lastContactMs = lastContactMs
    self = RedeliveryFilter()
    self.lastContactMs = lastContactMs
  }

  /// Messages may come from now on, or came until now.
  public mutating func inContact(atMs nowMs: Int64) { lastContactMs = nowMs }

  /// Whether a message was there before; if not, it is remembered.
  public mutating func isRepeated(packetID: UInt16, content: UInt64) -> Bool {
    let id = Int(packetID)
    if mayRepeat, contents[id] == content, numbers[id] > lastRepeated, mayComeAgain(id) {
      lastRepeated = numbers[id]
      return true
    }
    mayRepeat = false
    remember(packetID: packetID, content: content)
    return false
  }

  /// Whether there is a message with an id, and it is not too old to come again.
  func mayComeAgain(_ id: Int) -> Bool { numbers[id] > oldestThatMayComeAgain }

  /// Messages with a number up to this are too old to come again.
  var oldestThatMayComeAgain: Int { max(0, count - Self.packetIDs + 2) }

  private mutating func remember(packetID: UInt16, content: UInt64) {
    count += 1
    contents[Int(packetID)] = content
    numbers[Int(packetID)] = count
  }

  /// Remembers the messages of journal entries, in their order.
  public mutating func remember(_ entries: EntryBuffer) {
    for entry in entries {
      if entry.kind == .message || entry.kind == .sessionGap { lastContactMs = entry.arrivalMs }
      switch entry.kind {
      case .message where entry.packetID != 0:
        let content = Self.content(entry.topic, entry.payload, payloadBytes: entry.originalPayloadBytes)
        remember(packetID: entry.packetID, content: content)
      case .sessionGap: forget()
      default: break
      }
    }
  }

  /// A hash of what a message says, as much of it as is journaled.
  public static func content(
    _ topic: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, payloadBytes: Int
  ) -> UInt64 {
    checksum(payload, seed: checksum(topic, seed: UInt64(payloadBytes)))
  }
}
