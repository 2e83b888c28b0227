// The gateway's end of a connection to the simulated broker: what `Client` is to a real one.
//
// Invariants:
// - Nothing reaches the broker but in a write turn, and then only by and by: what is on its way when the
//   connection breaks is lost from some point on.
// - Events come in the order, and only at the moments, that `ClientDelegate` promises.

import Glibc
import Storage
import TestSupport

@testable import Mosquitto

/// A connection to the simulated broker, to be connected again and again by one process.
final class SimulatedConnection {
  private enum Phase {
    case idle, connecting, connected, disconnecting
  }

  private enum Incoming {
    case connack(sessionPresent: Bool)
    case refusal
    case suback(filters: Int)
    case publish(SimulatedBroker.InFlight)
  }

  private enum Outgoing {
    case connect
    case subscribe(filters: Int)
    case puback(UInt16)
    case disconnect
  }

  weak var delegate: (any ClientDelegate)?
  /// Lets the rest of the world work while the gateway sleeps.
  var whileWaiting: () -> Void = {}
  /// Told when the gateway hears that a session begins.
  var whenSessionBegins: () -> Void = {}
  /// A planted bug, for the simulation's own test: acknowledgements leave when a message is read.
  var acknowledgesAtOnce = false
  private let broker: SimulatedBroker
  private var phase = Phase.idle
  private var incoming: [Incoming] = []
  private var outgoing: [Outgoing] = []
  /// What left in a write turn and has not reached the broker.
  private var onTheWay: [Outgoing] = []
  /// The broker is gone; what it sent before may still be read.
  private var isBroken = false
  /// The last read turn ended at its bound.
  private var mayHoldMore = false
  private var withheldAcknowledgements = 0

  init(to broker: SimulatedBroker) {
    self.broker = broker
  }

  private var time: VirtualTime { broker.time }

  var isConnected: Bool { phase == .connected }
  var socket: Int32 { phase == .idle ? -1 : 1 << 20 }
  var wantsWrite: Bool { phase != .idle && !outgoing.isEmpty }

  // MARK: Requests

  func connect() throws(MosquittoError) {
    precondition(phase == .idle)
    incoming = []
    outgoing = [.connect]
    onTheWay = []
    isBroken = false
    mayHoldMore = false
    withheldAcknowledgements = 0
    if broker.refuses() { throw .unreachable(host: "broker", port: 1883, errno: ECONNREFUSED) }
    phase = .connecting
  }

  func subscribe(_ filters: [String]) throws(MosquittoError) {
    guard phase == .connected else { throw .notConnected }
    outgoing.append(.subscribe(filters: filters.count))
  }

  func disconnect() {
    guard phase == .connected else {
      if phase != .idle { end(nil) }
      return
    }
    phase = .disconnecting
    outgoing.append(.disconnect)
  }

  // MARK: Turns

  func wait(timeoutMs: Int, forWriting: Bool, wakeup: Int32) -> Readiness {
    whileWaiting()
    let wokenUp = wakeup >= 0 && pollUntil(0, wakeup, POLLIN) != 0
    travel()
    broker.breakConnectionSometimes()
    broker.run()
    let canWrite = forWriting && phase != .idle
    if !canRead && !canWrite && !wokenUp { sleep(timeoutMs) }
    return Readiness(canRead: canRead, canWrite: canWrite, wokenUp: wokenUp)
  }

  private var canRead: Bool { phase != .idle && (!incoming.isEmpty || isBroken || mayHoldMore) }

  // Until the time-out or the next publication, whichever is first.
  private func sleep(_ timeoutMs: Int) {
    var ms = Int64(max(0, timeoutMs))
    if isConnected, let nextMs = broker.nextPublicationMs { ms = min(ms, max(0, nextMs - time.nowMs)) }
    time.advance(byMs: ms)
    broker.run()
  }

  func readTurn(maxMessages: Int) -> ReadTurnOutcome {
    var messages = 0
    mayHoldMore = false
    while phase != .idle, !incoming.isEmpty {
      guard messages < maxMessages else {
        mayHoldMore = true
        return .boundReached
      }
      // Bytes come in as they like.
      if broker.random.oneIn(16) { return .drained }
      if case .publish = incoming[0] { messages += 1 }
      take(incoming.removeFirst())
    }
    if isBroken && phase != .idle { end(phase == .disconnecting ? nil : .connectionLost(errno: 0)) }
    return .drained
  }

  private func take(_ packet: Incoming) {
    switch packet {
    case .connack(let sessionPresent):
      guard phase == .connecting else { return }
      phase = .connected
      if !sessionPresent { whenSessionBegins() }
      delegate?.connected(sessionPresent: sessionPresent)
    case .refusal:
      end(.refused(host: "broker", port: 1883, reasonCode: 0x88))
    case .suback(let filters):
      delegate?.subscribed(grantedQoS: [UInt8](repeating: 1, count: filters))
    case .publish(let packet):
      // As libmosquitto does: first the acknowledgement is queued, then the message handed over.
      withheldAcknowledgements += 1
      outgoing.append(.puback(packet.packetID))
      if acknowledgesAtOnce {
        broker.acknowledge(packetID: packet.packetID)
        withheldAcknowledgements = 0
      }
      deliver(broker.script[packet.message], packetID: packet.packetID)
    }
  }

  private func deliver(_ message: ScriptedMessage, packetID: UInt16) {
    var topic = message.topic
    topic.withUTF8 { topic in
      message.payload.withUnsafeBytes { payload in
        delegate?.received(
          MessageView(
            topic: UnsafeRawBufferPointer(topic), payload: payload, packetID: packetID, qos: 1, retain: false)
        )
      }
    }
  }

  func checkAcknowledgementsWithheld() throws(MosquittoError) {
    guard phase == .connected, withheldAcknowledgements > 0, !wantsWrite else { return }
    throw .acknowledgementsNotWithheld(detail: "\(withheldAcknowledgements) messages were read")
  }

  func writeTurn() {
    guard wantsWrite else { return }
    withheldAcknowledgements = 0
    if isBroken { return end(phase == .disconnecting ? nil : .connectionLost(errno: EPIPE)) }
    // Sometimes the socket takes only a part.
    let count =
      broker.random.oneIn(4) ? Int.random(in: 0...outgoing.count, using: &broker.random) : outgoing.count
    onTheWay += outgoing.prefix(count)
    outgoing.removeFirst(count)
    if case .disconnect? = onTheWay.last {
      onTheWay.forEach(arrive)
      onTheWay = []
      end(nil)
    }
  }

  func housekeepingTurn() {}

  // MARK: The network

  // A part of what was sent reaches the broker.
  private func travel() {
    guard phase != .idle, !isBroken else { return }
    let count =
      broker.random.oneIn(3) ? Int.random(in: 0...onTheWay.count, using: &broker.random) : onTheWay.count
    let arrived = onTheWay.prefix(count)
    onTheWay.removeFirst(count)
    arrived.forEach(arrive)
  }

  private func arrive(_ packet: Outgoing) {
    switch packet {
    case .connect:
      if broker.refuses() {
        incoming.append(.refusal)
      } else {
        broker.accept(self)
      }
    case .subscribe(let filters):
      incoming.append(.suback(filters: filters))
      broker.subscribe()
    case .puback(let packetID): broker.acknowledge(packetID: packetID)
    case .disconnect: break
    }
  }

  /// The broker sends CONNACK.
  func accepted(sessionPresent: Bool) { incoming.append(.connack(sessionPresent: sessionPresent)) }

  /// The broker sends a message.
  func deliver(_ packet: SimulatedBroker.InFlight) { incoming.append(.publish(packet)) }

  /// The connection breaks, by whatever cause: of what is on its way, in both directions, the end is lost.
  func breakOff() {
    guard phase != .idle, !isBroken else { return }
    isBroken = true
    let arriving = onTheWay.prefix(Int.random(in: 0...onTheWay.count, using: &broker.random))
    onTheWay = []
    for case .puback(let packetID) in arriving { broker.acknowledge(packetID: packetID) }
    incoming.removeLast(Int.random(in: 0...incoming.count, using: &broker.random))
    broker.disconnected(self)
  }

  /// The process died, and the kernel closed its socket.
  func die() {
    breakOff()
    delegate = nil
    phase = .idle
  }

  private func end(_ reason: MosquittoError?) {
    let wasConnecting = phase == .connecting
    phase = .idle
    broker.disconnected(self)
    withheldAcknowledgements = 0
    mayHoldMore = false
    if wasConnecting, let reason { delegate?.connectFailed(reason) } else { delegate?.disconnected(reason) }
  }
}
