// What a client says and does byte by byte, against a broker that is nothing but a script.

import Foundation
import TestSupport
import Testing

@testable import Mosquitto

@Suite struct `Client protocol` {
  private let connack: [UInt8] = [0x20, 0x03, 0x00, 0x00, 0x00]

  /// A connected client and its broker; the broker's waits end after five seconds.
  private func connected(
    _ adjust: (inout ConnectOptions) -> Void = { _ in },
    body: (TestClient, borrowing ScriptedBroker) throws -> Void
  ) throws {
    var broker = try ScriptedBroker(deadlineMs: monotonicMs() + 5_000)
    var options = ConnectOptions(host: "127.0.0.1", port: broker.port, clientID: "c")
    adjust(&options)
    let client = try TestClient(options)
    try client.client.openConnection()
    client.client.writeTurn()
    try broker.acceptConnect()
    try broker.send(connack)
    try client.drive { client.client.isConnected }
    try body(client, broker)
  }

  @Test func `CONNECT carries the session's options`() throws {
    var broker = try ScriptedBroker(deadlineMs: monotonicMs() + 5_000)
    var options = ConnectOptions(host: "127.0.0.1", port: broker.port, clientID: "c")
    options.sessionExpirySeconds = 0x0102_0304
    options.receiveMaximum = 0x0506
    options.maximumPacketBytes = 0x0708_090A
    options.keepaliveSeconds = 0x0B0C
    let client = try Client(options)
    try client.openConnection()
    client.writeTurn()
    let packet = try broker.acceptConnect()
    // MQTT 5, section 3.1: protocol level 5, no flags (so: clean start off), keep alive, properties, client
    // id.
    #expect(packet[8...11] == [0x05, 0x00, 0x0B, 0x0C])
    let properties = Array(packet[13..<packet.count - 3])
    #expect(Int(packet[12]) == properties.count)
    #expect(properties.firstRange(of: [0x11, 0x01, 0x02, 0x03, 0x04]) != nil)
    #expect(properties.firstRange(of: [0x21, 0x05, 0x06]) != nil)
    #expect(properties.firstRange(of: [0x27, 0x07, 0x08, 0x09, 0x0A]) != nil)
    #expect(packet.suffix(3) == [0x00, 0x01, 0x63])
  }

  @Test func `SUBSCRIBE holds all filters, at QoS 1, with kept messages for new subscriptions only`() throws {
    try connected { client, broker in
      try client.client.subscribe(["a", "b"])
      client.client.writeTurn()
      let packet = try broker.receivePacket("SUBSCRIBE")
      #expect(packet.first == 0x82)
      #expect(packet.suffix(8) == [0x00, 0x01, 0x61, 0x11, 0x00, 0x01, 0x62, 0x11])
      // SUBACK: granted QoS 1, and not authorized.
      try broker.send([0x90, 0x05, packet[2], packet[3], 0x00, 0x01, 0x87])
      try client.drive { client.events.grants == [[1, 0x87]] }
    }
  }

  @Test func `A DISCONNECT from the broker gives its reason, once`() throws {
    try connected { client, broker in
      try broker.send([0xE0, 0x02, 0x8E, 0x00])
      try client.drive { !client.events.endings.isEmpty }
      client.client.readTurn(maxMessages: 10)
      client.client.housekeepingTurn()
      #expect(client.events.endings == [.disconnectedByBroker(reasonCode: 0x8E)])
      #expect(
        MosquittoError.disconnectedByBroker(reasonCode: 0x8E).description.contains("Session taken over"))
    }
  }

  @Test func `A PUBACK that refuses a message tells why`() throws {
    try connected { client, broker in
      let packetID = try client.client.publish(
        topic: "t", payload: UnsafeRawBufferPointer(start: nil, count: 0))
      client.client.writeTurn()
      _ = try broker.receivePacket("PUBLISH")
      try broker.send([0x40, 0x03, UInt8(packetID >> 8), UInt8(packetID & 0xFF), 0x87])
      try client.drive { client.events.acknowledged == [packetID] }
      #expect(client.events.reasonCodes == [0x87])
    }
  }

  @Test(
    arguments: [
      [0x00, 0x00], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], [0x32, 0x02, 0x00, 0x00],
      [0x32, 0x03, 0x00, 0x01, 0xC0],
      [0x90, 0x01, 0x00], [0xF0, 0x00], [0x30, 0x02, 0xFF, 0xFF],
    ] as [[UInt8]])
  func `Bytes that are no MQTT end the connection and nothing else`(bytes: [UInt8]) throws {
    try connected { client, broker in
      try broker.send(bytes)
      try client.drive { !client.events.endings.isEmpty }
      #expect(client.events.endings.count == 1 && client.events.endings.first != .some(nil))
      #expect(client.events.messages.isEmpty)
    }
  }

  @Test func `A second CONNACK is not a second connection`() throws {
    try connected { client, broker in
      try broker.send(connack + [0x30, 0x04, 0x00, 0x01, 0x74, 0x00])
      try client.drive { client.events.messages.count == 1 }
      #expect(client.events.sessionsPresent == [false])
    }
  }

  @Test func `Acknowledgements of a whole batch leave in order with one write turn`() throws {
    try connected { client, broker in
      for packetID in UInt8(1)...50 {
        try broker.send([0x32, 0x06, 0x00, 0x01, 0x74, 0x00, packetID, 0x00])
      }
      try client.drive(writing: false) { client.events.messages.count == 50 }
      let hasSpoken = broker.receivesAnything(withinMs: 50)
      #expect(!hasSpoken)
      client.client.writeTurn()
      for packetID in UInt8(1)...50 {
        let packet = try broker.receivePacket("PUBACK")
        #expect(packet == [0x40, 0x02, 0x00, packetID])
      }
    }
  }
}
