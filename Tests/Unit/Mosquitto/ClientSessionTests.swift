// What a session survives: a client that dies with messages read but not acknowledged, a broker that goes.

import Foundation
import TestSupport
import Testing

@testable import Mosquitto

@Suite struct `Client session` {
  private func options(_ broker: PrivateBroker, _ clientID: String) -> ConnectOptions {
    ConnectOptions(host: broker.host, port: broker.port, clientID: clientID)
  }

  private func publish(_ count: Int, to broker: PrivateBroker) throws {
    let writer = try TestClient(options(broker, "writer"))
    try writer.connect()
    try writer.publish("t", numbered(count))
  }

  @Test(arguments: [false, true])
  func `A client that dies after reading 10 of 100 without a write turn gets all 100 again`(
    tls: Bool
  ) throws {
    var brokerOptions = PrivateBroker.Options()
    if tls { brokerOptions.certificates = try TestCertificates() }
    let broker = try PrivateBroker(brokerOptions)
    var options = options(broker, "reader")
    options.tls = brokerOptions.certificates.map { TLSOptions(caFile: $0.caFile) }
    var writerOptions = options
    writerOptions.clientID = "writer"

    var dying: TestClient? = try TestClient(options)
    try dying?.connect()
    try dying?.subscribe(["t"])
    let writer = try TestClient(writerOptions)
    try writer.connect()
    try writer.publish("t", numbered(100))
    // With TLS one record may hold more than the bound.
    try dying?.drive(writing: false, maxMessages: 10) { (dying?.events.messages.count ?? 0) >= 10 }
    #expect(tls || dying?.events.messages.count == 10)
    dying = nil

    let reader = try TestClient(options)
    try reader.connect()
    #expect(reader.events.sessionsPresent == [true])
    try reader.drive { reader.events.messages.count >= 100 }
    #expect(reader.events.messages.map(\.payload) == numbered(100))
    #expect(reader.events.messages.allSatisfy { $0.qos == 1 && $0.topic == "t" })
  }

  @Test func `What a write turn acknowledged does not come again`() throws {
    let broker = try PrivateBroker()
    var first: TestClient? = try TestClient(options(broker, "reader"))
    try first?.connect()
    try first?.subscribe(["t"])
    try publish(100, to: broker)
    try first?.drive(writing: false, maxMessages: 40) { first?.events.messages.count == 40 }
    first?.client.writeTurn()
    first?.client.disconnect()
    try first?.drive { first?.events.endings.count == 1 }
    #expect(first?.events.endings == [nil])
    first = nil

    let second = try TestClient(options(broker, "reader"))
    try second.connect()
    try second.drive { second.events.messages.count >= 60 }
    #expect(second.events.messages.map(\.payload) == Array(numbered(100)[40...]))
  }

  @Test func `The broker sends no more than the receive maximum until the write turn`() throws {
    let broker = try PrivateBroker()
    var readerOptions = options(broker, "reader")
    readerOptions.receiveMaximum = 7
    let reader = try TestClient(readerOptions)
    try reader.connect()
    try reader.subscribe(["t"])
    try publish(50, to: broker)
    try reader.drive(writing: false) { reader.events.messages.count >= 7 }
    // The broker has acknowledged all 50 to the writer, so it would send more by now if it ever did.
    #expect(reader.client.wait(timeoutMs: 200) == Readiness())
    #expect(reader.events.messages.count == 7)
    try reader.drive { reader.events.messages.count == 50 }
    #expect(reader.events.messages.map(\.payload) == numbered(50))
  }

  @Test func `A receive maximum above the broker's own limit of messages in flight is honoured`() throws {
    let broker = try PrivateBroker()
    let reader = try TestClient(options(broker, "reader"))
    try reader.connect()
    try reader.subscribe(["t"])
    try publish(1_000, to: broker)
    try reader.drive(writing: false) { reader.events.messages.count == 1_000 }
  }

  @Test func `Session present is told, and clean start discards the session`() throws {
    let broker = try PrivateBroker()
    var readerOptions = options(broker, "reader")
    let reader = try TestClient(readerOptions)
    try reader.connect()
    reader.client.disconnect()
    try reader.drive { reader.events.endings.count == 1 }
    try reader.connect()
    #expect(reader.events.sessionsPresent == [false, true])

    readerOptions.cleanStart = true
    let other = try TestClient(readerOptions)
    try other.connect()
    #expect(other.events.sessionsPresent == [false])
    try reader.drive { reader.events.endings.count == 2 }
    #expect(reader.events.endings.last != .some(nil), "an end that nobody asked for has a reason")
  }

  @Test func `A broker that is killed and comes back finds the client and its unacknowledged messages`()
    throws
  {
    let broker = try PrivateBroker()
    let reader = try TestClient(options(broker, "reader"))
    try reader.connect()
    try reader.subscribe(["t"])
    let writer = try TestClient(options(broker, "writer"))
    try writer.connect()

    let stopped = try #require(broker.running)
    stopped.signal(SIGSTOP)
    let payload: [UInt8] = [1, 2, 3]
    try payload.withUnsafeBytes { _ = try writer.client.publish(topic: "t", payload: $0) }
    writer.client.writeTurn()
    try broker.kill()
    for client in [reader, writer] {
      try client.drive { client.events.endings.count == 1 }
      #expect(client.events.endings == [.connectionLost(errno: 0)])
      #expect(throws: MosquittoError.unreachable(host: broker.host, port: broker.port, errno: ECONNREFUSED)) {
        try client.client.connect()
      }
    }

    try broker.start()
    try reader.connect()
    #expect(reader.events.sessionsPresent == [false, false], "the broker kept nothing")
    try reader.subscribe(["t"])
    try writer.connect()
    try writer.drive { writer.events.acknowledged.count == 1 }
    try reader.drive { reader.events.messages.count == 1 }
    #expect(reader.events.messages.first?.payload == payload)
  }

  @Test func `A persistent broker hands out after a restart what it had queued`() throws {
    var brokerOptions = PrivateBroker.Options()
    brokerOptions.isPersistent = true
    let broker = try PrivateBroker(brokerOptions)
    let reader = try TestClient(options(broker, "reader"))
    try reader.connect()
    try reader.subscribe(["t"])
    try publish(30, to: broker)
    try reader.drive(writing: false, maxMessages: 5) { reader.events.messages.count >= 5 }
    try broker.restart()
    try reader.drive(writing: false) { reader.events.endings.count == 1 }
    reader.events.messages = []
    try reader.connect()
    #expect(reader.events.sessionsPresent == [false, true])
    try reader.drive { reader.events.messages.count >= 30 }
    #expect(reader.events.messages.map(\.payload) == numbered(30))
  }

  @Test func `Kept messages come with a new subscription and not with a renewed one`() throws {
    let broker = try PrivateBroker()
    let writer = try TestClient(options(broker, "writer"))
    try writer.connect()
    try writer.publish("t", [[9]], retain: true)
    let reader = try TestClient(options(broker, "reader"))
    try reader.connect()
    try reader.subscribe(["t", "other/#"])
    #expect(reader.events.grants == [[1, 1]])
    try reader.drive { reader.events.messages.count == 1 }
    #expect(reader.events.messages.first?.retain == true)
    try reader.subscribe(["t", "other/#"])
    try writer.publish("t", [[10]])
    try reader.drive { reader.events.messages.count >= 2 }
    #expect(reader.events.messages.map(\.payload) == [[9], [10]])
  }
}
