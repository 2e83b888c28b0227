import Mosquitto
import TestSupport
import Testing

/// A gateway's loop in short: takes messages, and acknowledges when it is told to.
private final class Subscriber: ClientDelegate {
  let connection: SimulatedConnection
  var received: [(packetID: UInt16, text: String)] = []
  var sessions: [Bool] = []
  var failures = 0
  var disconnects = 0

  init(_ broker: SimulatedBroker) {
    connection = SimulatedConnection(to: broker)
    connection.delegate = self
  }

  func turns(_ count: Int, writing: Bool = true) {
    for _ in 0..<count {
      if connection.socket < 0 { try? connection.connect() }
      _ = connection.wait(timeoutMs: 100, forWriting: writing && connection.wantsWrite, wakeup: -1)
      _ = connection.readTurn(maxMessages: 16)
      if writing || !connection.isConnected { connection.writeTurn() }
    }
  }

  func connected(sessionPresent: Bool) {
    sessions.append(sessionPresent)
    try? connection.subscribe(["#"])
  }
  func connectFailed(_ reason: MosquittoError) { failures += 1 }
  func disconnected(_ reason: MosquittoError?) { disconnects += 1 }
  func received(_ message: borrowing MessageView) {
    let text = message.payload.withMemoryRebound(to: UInt8.self) { String(decoding: $0, as: UTF8.self) }
    received.append((message.packetID, text))
  }
  func subscribed(grantedQoS: [UInt8]) {}
  func published(packetID: UInt16, reasonCode: UInt8) {}
}

/// What the simulated broker owes its subscriber.
@Suite struct SimulatedBrokerTests {
  private func broker(_ count: Int, _ options: SimulatedBroker.Options = .init(), seed: UInt64 = 1)
    -> SimulatedBroker
  {
    // The session is there before the first message.
    let script = (0..<count).map {
      ScriptedMessage(topic: "t", payload: Array("\($0)".utf8), atMs: 10_000 + Int64($0) * 10)
    }
    return SimulatedBroker(script: script, time: VirtualTime(nowMs: 0), options: options, seed: seed)
  }

  private func texts(_ range: Range<Int>) -> [String] { range.map(String.init) }

  @Test func `Messages come in order, with ids one after the other, and end as acknowledged`() {
    let broker = broker(50)
    let subscriber = Subscriber(broker)
    subscriber.turns(500)
    #expect(subscriber.received.map(\.text) == texts(0..<50))
    #expect(subscriber.received.map(\.packetID) == Array(1...50))
    #expect(subscriber.sessions == [false])
    #expect(broker.isDrained && broker.fates.allSatisfy { $0 == .acknowledged })
  }

  @Test func `Packet ids start from 1 again behind the last, without those in use`() {
    var options = SimulatedBroker.Options()
    options.firstPacketID = 65_534
    options.receiveMaximum = 3
    let subscriber = Subscriber(broker(5, options))
    subscriber.turns(300)
    #expect(subscriber.received.map(\.packetID) == [65_534, 65_535, 1, 2, 3])
  }

  @Test
  func `No more messages than the receive maximum are unacknowledged, and none is acknowledged unwritten`() {
    var options = SimulatedBroker.Options()
    options.receiveMaximum = 4
    let broker = broker(20, options)
    let subscriber = Subscriber(broker)
    subscriber.turns(30)
    subscriber.turns(300, writing: false)
    let taken = subscriber.received.count
    #expect(taken >= 4)
    #expect(broker.fates.filter { $0 == .acknowledged }.count >= taken - 4)
    #expect(broker.fates.filter { $0 == .acknowledged }.count < 20)
    #expect(throws: Never.self) { try subscriber.connection.checkAcknowledgementsWithheld() }
  }

  @Test func `On a session that was kept what is unacknowledged comes again, first and in order`() {
    var options = SimulatedBroker.Options()
    options.receiveMaximum = 4
    let broker = broker(20, options)
    let first = Subscriber(broker)
    first.turns(20)
    first.turns(300, writing: false)
    let unacknowledged = broker.fates.indices.filter { broker.fates[$0] == .held }.prefix(4)
    let ids = first.received.filter { unacknowledged.map(String.init).contains($0.text) }.map(\.packetID)
    first.connection.die()

    let second = Subscriber(broker)
    second.turns(500)
    #expect(second.sessions == [true])
    #expect(second.received.prefix(4).map(\.text) == unacknowledged.map(String.init))
    #expect(second.received.prefix(4).map(\.packetID) == ids)
    #expect(broker.isDrained && broker.redeliveries == 4)
    #expect(Set((first.received + second.received).map(\.text)) == Set(texts(0..<20)))
  }

  @Test func `Whatever breaks, each message comes until it is acknowledged, new ones in order`() {
    let seed = testSeed()
    for number in 0..<UInt64(40) {
      var options = SimulatedBroker.Options()
      options.receiveMaximum = 5
      options.disconnectsOnceIn = 10
      options.refusesOnceIn = 3
      let broker = broker(60, options, seed: seed &+ number)
      let subscriber = Subscriber(broker)
      subscriber.turns(1500)
      #expect(broker.isDrained, "seed \(seed &+ number)")
      let lost = broker.fates.indices.filter { broker.fates[$0] == .lost }.map(String.init)
      #expect(broker.sessionsLost == 0)
      var seen: [String] = []
      for message in subscriber.received where !seen.contains(message.text) { seen.append(message.text) }
      // Lost is only what came before the first subscription.
      #expect(lost + seen == texts(0..<60), "seed \(seed &+ number)")
      #expect(subscriber.disconnects + subscriber.failures > 0)
    }
  }

  @Test func `A broker that forgot the session says so, and what it held is lost`() {
    let broker = broker(20)
    let subscriber = Subscriber(broker)
    subscriber.turns(20)
    subscriber.turns(100, writing: false)
    broker.restartWithoutPersistence()
    let lost = broker.fates.filter { $0 == .lost }.count
    #expect(lost > 0)
    subscriber.turns(300)
    #expect(subscriber.sessions == [false, false])
    #expect(broker.sessionsLost == 1 && broker.isDrained)
  }

  @Test func `A stop leaves the session, and all that was written before it arrives`() {
    let broker = broker(20)
    let subscriber = Subscriber(broker)
    subscriber.turns(200)
    subscriber.connection.disconnect()
    while subscriber.connection.wantsWrite { subscriber.connection.writeTurn() }
    #expect(subscriber.connection.socket < 0 && subscriber.disconnects == 1)
    #expect(broker.hasSession)
    #expect(subscriber.received.count == broker.fates.filter { $0 == .acknowledged }.count)
  }
}
