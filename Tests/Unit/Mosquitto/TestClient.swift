// A client whose events are written down, driven until something has happened.

import Foundation
import Testing

@testable import Mosquitto

/// Every event of a client, in order.
final class Recorder: ClientDelegate {
  struct Message: Equatable {
    var topic: String
    var payload: [UInt8]
    var packetID: UInt16
    var qos: UInt8
    var retain: Bool
  }

  var sessionsPresent: [Bool] = []
  var failures: [MosquittoError] = []
  var endings: [MosquittoError?] = []
  var messages: [Message] = []
  var grants: [[UInt8]] = []
  var acknowledged: [UInt16] = []
  var reasonCodes: [UInt8] = []

  func connected(sessionPresent: Bool) { sessionsPresent.append(sessionPresent) }
  func connectFailed(_ reason: MosquittoError) { failures.append(reason) }
  func disconnected(_ reason: MosquittoError?) { endings.append(reason) }
  func subscribed(grantedQoS: [UInt8]) { grants.append(grantedQoS) }

  func received(_ message: borrowing MessageView) {
    messages.append(
      Message(
        topic: String(decoding: message.topic, as: UTF8.self), payload: Array(message.payload),
        packetID: message.packetID, qos: message.qos, retain: message.retain))
  }

  func published(packetID: UInt16, reasonCode: UInt8) {
    acknowledged.append(packetID)
    reasonCodes.append(reasonCode)
  }
}

struct TestClient {
  let client: Client
  let events = Recorder()

  init(_ options: ConnectOptions, withholdingAcknowledgements: Bool = true) throws {
    client = try Client(options, withholdingAcknowledgements: withholdingAcknowledgements)
    client.delegate = events
  }

  /// Takes turns until `isDone`, writing only if `writing`; a deadline fails the test.
  func drive(
    writing: Bool = true, maxMessages: Int = 10_000, timeoutSeconds: Double = 10,
    sourceLocation: SourceLocation = #_sourceLocation, until isDone: () throws -> Bool
  ) throws {
    let deadline = Date(timeIntervalSinceNow: timeoutSeconds)
    while try !isDone() {
      try #require(Date() < deadline, "deadline; \(describeEvents())", sourceLocation: sourceLocation)
      if writing { client.writeTurn() }
      let ready = client.wait(timeoutMs: 20, forWriting: writing && client.wantsWrite)
      if ready.canRead { client.readTurn(maxMessages: maxMessages) }
      client.housekeepingTurn()
    }
  }

  func connect(sourceLocation: SourceLocation = #_sourceLocation) throws {
    let before = events.sessionsPresent.count
    try client.connect()
    try drive(sourceLocation: sourceLocation) { events.sessionsPresent.count > before }
  }

  func subscribe(_ filters: [String], sourceLocation: SourceLocation = #_sourceLocation) throws {
    let before = events.grants.count
    try client.subscribe(filters)
    try drive(sourceLocation: sourceLocation) { events.grants.count > before }
  }

  /// Publishes all and waits for the broker's acknowledgements.
  func publish(
    _ topic: String, _ payloads: [[UInt8]], retain: Bool = false,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let before = events.acknowledged.count
    for payload in payloads {
      try payload.withUnsafeBytes { _ = try client.publish(topic: topic, payload: $0, retain: retain) }
    }
    try drive(timeoutSeconds: 30, sourceLocation: sourceLocation) {
      events.acknowledged.count == before + payloads.count
    }
  }

  private func describeEvents() -> String {
    "connected \(events.sessionsPresent), failed \(events.failures), ended \(events.endings), "
      + "\(events.messages.count) messages, \(events.acknowledged.count) acknowledged"
  }
}

/// The texts "0", "1", ... as payloads.
func numbered(_ count: Int) -> [[UInt8]] {
  (0..<count).map { Array(String($0).utf8) }
}
