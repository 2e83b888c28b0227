// Bytes in and out: large payloads, many small ones, bounds, waiting.

import Foundation
import TestSupport
import Testing

@testable import Mosquitto

@Suite struct `Client transfer` {
  private func pair(
    _ broker: PrivateBroker, tls: TestCertificates? = nil
  ) throws -> (reader: TestClient, writer: TestClient) {
    var options = ConnectOptions(host: broker.host, port: broker.port, clientID: "reader")
    options.tls = tls.map { TLSOptions(caFile: $0.caFile) }
    let reader = try TestClient(options)
    try reader.connect()
    try reader.subscribe(["t/#"])
    options.clientID = "writer"
    let writer = try TestClient(options)
    try writer.connect()
    return (reader, writer)
  }

  private func broker(tls: Bool) throws -> (PrivateBroker, TestCertificates?) {
    var options = PrivateBroker.Options()
    if tls { options.certificates = try TestCertificates() }
    return (try PrivateBroker(options), options.certificates)
  }

  @Test(arguments: [false, true])
  func `A payload of 10 MB arrives whole`(tls: Bool) throws {
    let (broker, certificates) = try broker(tls: tls)
    let (reader, writer) = try pair(broker, tls: certificates)
    let payload = (0..<10_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    try writer.publish("t/large", [payload])
    try reader.drive(timeoutSeconds: 30) { reader.events.messages.count == 1 }
    #expect(reader.events.messages.first?.payload == payload)
  }

  /// Many more than fit the library's internal socket pair (see the top of Client.swift).
  @Test(arguments: [false, true])
  func `Thousands of small messages are read without a write turn and none gets stuck`(tls: Bool) throws {
    let (broker, certificates) = try broker(tls: tls)
    let (reader, writer) = try pair(broker, tls: certificates)
    try writer.publish("t/small", numbered(3_000))
    try reader.drive(writing: false) { reader.events.messages.count == 3_000 }
    #expect(reader.events.messages.map(\.payload) == numbered(3_000))
    #expect(reader.client.wantsWrite)
  }

  /// Past some 280 messages the library takes a full socket pair for an empty socket and stops in the
  /// middle of the record, where poll does not see the rest. mosquitto sends a record a message, so
  /// `openssl s_server` has to play the broker here.
  @Test func `A thousand messages in one TLS record are all read, without a write turn`() throws {
    let certificates = try TestCertificates()
    let script = NSTemporaryDirectory() + "/stepgate-script-\(UUID().uuidString)"
    try #require(mkfifo(script, 0o600) == 0)
    defer { unlink(script) }
    // Held open for reading too, so that the server sees no end of it.
    let pipe = open(script, O_RDWR)
    defer { close(pipe) }
    let port = try freePort()
    let server = try ChildProcess(
      "/usr/bin/openssl",
      [
        "s_server", "-quiet", "-accept", "127.0.0.1:\(port)", "-cert", certificates.serverFile, "-key",
        certificates.serverKeyFile,
      ], inputFile: script)
    defer { server.kill() }

    var options = ConnectOptions(host: "127.0.0.1", port: port, clientID: "reader")
    options.tls = TLSOptions(caFile: certificates.caFile)
    let reader = try TestClient(options)
    let deadline = Date(timeIntervalSinceNow: 10)
    while reader.client.socket < 0 {
      // Not `connect`, whose look at the port would be the server's first customer.
      do { try reader.client.openConnection() } catch { try #require(Date() < deadline, "\(error)") }
    }
    var bytes: [UInt8] = [0x20, 0x03, 0x00, 0x00, 0x00]
    for packetID in UInt16(1)...1_000 {
      bytes += [0x32, 0x06, 0x00, 0x01, 0x74, UInt8(packetID >> 8), UInt8(packetID & 0xFF), 0x00]
    }
    try #require(write(pipe, bytes, bytes.count) == bytes.count)
    try reader.drive(writing: false) { reader.events.messages.count == 1_000 }
    #expect(reader.events.messages.map(\.packetID) == Array(1...1_000))
  }

  @Test func `A read turn ends at its bound and says so, and the next wait returns at once`() throws {
    let broker = try PrivateBroker()
    let (reader, writer) = try pair(broker)
    try writer.publish("t", numbered(25))
    try reader.drive(writing: false, maxMessages: 10) { reader.events.messages.count == 10 }
    #expect(reader.client.wait(timeoutMs: 10_000).canRead)
    #expect(reader.client.readTurn(maxMessages: 10) == .boundReached)
    #expect(reader.events.messages.count == 20)
    try reader.drive(writing: false, maxMessages: 10) { reader.events.messages.count == 25 }
    #expect(reader.client.readTurn(maxMessages: 10) == .drained)
  }

  @Test func `Publishing at QoS 1 is acknowledged, message by message`() throws {
    let broker = try PrivateBroker()
    let (_, writer) = try pair(broker)
    var packetIDs: [UInt16] = []
    for payload in numbered(200) {
      try payload.withUnsafeBytes { packetIDs.append(try writer.client.publish(topic: "t", payload: $0)) }
    }
    #expect(writer.events.acknowledged.isEmpty, "nothing is sent before the write turn")
    try writer.drive { writer.events.acknowledged.count == 200 }
    #expect(writer.events.acknowledged == packetIDs)
    #expect(writer.events.reasonCodes.allSatisfy { $0 < 0x80 })
  }

  @Test func `An empty payload, and a topic that is not ASCII, arrive as they are`() throws {
    let broker = try PrivateBroker()
    let (reader, writer) = try pair(broker)
    try writer.publish("t/Zoë \"quoted\"", [[]])
    try reader.drive { reader.events.messages.count == 1 }
    #expect(reader.events.messages.first?.topic == "t/Zoë \"quoted\"")
    #expect(reader.events.messages.first?.payload == [])
  }

  @Test func `A message above the maximum packet size is not sent to the client`() throws {
    let broker = try PrivateBroker()
    var options = ConnectOptions(host: broker.host, port: broker.port, clientID: "limited")
    options.maximumPacketBytes = 1_000
    let reader = try TestClient(options)
    try reader.connect()
    try reader.subscribe(["t/#"])
    let (_, writer) = try pair(broker)
    try writer.publish("t", [[UInt8](repeating: 1, count: 2_000), [2]])
    try reader.drive { !reader.events.messages.isEmpty }
    #expect(reader.events.messages.map(\.payload) == [[2]])
  }

  @Test func `Without a connection, requests are refused and a wait only sleeps or is woken`() throws {
    let client = try Client(ConnectOptions(host: "127.0.0.1", port: 1, clientID: "c"))
    #expect(throws: MosquittoError.notConnected) { try client.subscribe(["t"]) }
    #expect(throws: MosquittoError.notConnected) {
      try client.publish(topic: "t", payload: UnsafeRawBufferPointer(start: nil, count: 0))
    }
    #expect(client.wait(timeoutMs: 1) == Readiness())
    var ends: [Int32] = [-1, -1]
    try #require(pipe(&ends) == 0)
    defer { ends.forEach { close($0) } }
    try #require(write(ends[1], "x", 1) == 1)
    #expect(client.wait(timeoutMs: 10_000, wakeup: ends[0]).wokenUp)
    #expect(client.readTurn(maxMessages: 1) == .drained)
    client.writeTurn()
    client.housekeepingTurn()
  }

  @Test func `A topic filter that is none is refused with its text`() throws {
    let broker = try PrivateBroker()
    let (reader, _) = try pair(broker)
    let error = #expect(throws: MosquittoError.self) { try reader.client.subscribe(["fine", "not/#/fine"]) }
    #expect(error?.description.contains("not/#/fine") == true)
  }

  @Test func `The connection outlives the keep alive while nothing is published`() throws {
    let broker = try PrivateBroker()
    var options = ConnectOptions(host: broker.host, port: broker.port, clientID: "quiet")
    options.keepaliveSeconds = 5
    let quiet = try TestClient(options)
    try quiet.connect()
    // The broker gives up after one and a half times the keep alive.
    let end = Date(timeIntervalSinceNow: 8.5)
    try quiet.drive(timeoutSeconds: 20) { Date() > end }
    #expect(quiet.client.isConnected)
    #expect(broker.log.contains { $0.contains("PINGREQ") })
  }
}
