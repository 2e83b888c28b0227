// The start-up proof that the linked libmosquitto withholds acknowledgements until a write turn.
//
// "Nothing lost" rests on behaviour of the library that it does not document. Another version, or one patched
// by a distribution, could lose it without a word; so every start looks at the bytes on a socket.

import CMosquitto
import Glibc

/// Checks, against a broker inside this process, that no acknowledgement leaves before a write turn.
public enum AcknowledgementCheck {
  private static let packetID: UInt16 = 0x1234
  /// CONNACK: no session present, success, no properties (MQTT 5, section 3.2).
  private static let connack: [UInt8] = [0x20, 0x03, 0x00, 0x00, 0x00]
  /// PUBLISH at QoS 1: topic "t", packet identifier, no properties, payload "x" (MQTT 5, section 3.3).
  private static let publish: [UInt8] = [0x32, 0x07, 0x00, 0x01, 0x74, 0x12, 0x34, 0x00, 0x78]
  /// How long to look for a byte that must not come. On the loopback interface it is there at once.
  private static let silenceMs = 20
  private static let timeoutMs = 900

  /// Takes some 25 ms, at most a second. Throws `acknowledgementsNotWithheld` if the library is not to be
  /// trusted with messages, `selfTestFailed` if that could not be found out.
  public static func run() throws(MosquittoError) {
    try run(withholdingAcknowledgements: true)
  }

  static func run(withholdingAcknowledgements: Bool) throws(MosquittoError) {
    let deadlineMs = monotonicMs() + timeoutMs
    var broker = try ScriptedBroker(deadlineMs: deadlineMs)
    var options = ConnectOptions(host: "127.0.0.1", port: broker.port, clientID: "self-test")
    options.cleanStart = true
    let client = try Client(options, withholdingAcknowledgements: withholdingAcknowledgements)
    let witness = Witness()
    client.delegate = witness

    try client.openConnection()
    client.writeTurn()
    try broker.acceptConnect()
    try broker.send(connack + publish)
    while witness.delivered.isEmpty, monotonicMs() < deadlineMs, client.socket >= 0 {
      _ = client.wait(timeoutMs: 10)
      client.readTurn(maxMessages: 10)
    }
    guard witness.delivered == [packetID] else {
      throw .selfTestFailed(step: "deliver a message to the client", errno: 0)
    }

    guard !broker.receivesAnything(withinMs: silenceMs) else {
      throw .acknowledgementsNotWithheld(detail: "bytes reached the broker before the write turn")
    }
    try client.checkAcknowledgementsWithheld()
    client.writeTurn()
    let puback = try broker.receivePacket("receive PUBACK")
    guard puback.count >= 4, puback[0] == 0x40, puback[2] == 0x12, puback[3] == 0x34 else {
      throw .acknowledgementsNotWithheld(detail: "the write turn sent something other than the PUBACK")
    }
  }
}

/// Notes the messages delivered.
private final class Witness: ClientDelegate {
  var delivered: [UInt16] = []

  func received(_ message: borrowing MessageView) { delivered.append(message.packetID) }
  func connected(sessionPresent: Bool) {}
  func connectFailed(_ reason: MosquittoError) {}
  func disconnected(_ reason: MosquittoError?) {}
  func subscribed(grantedQoS: [UInt8]) {}
  func published(packetID: UInt16, reasonCode: UInt8) {}
}
