// A broker that delivers a script, as MQTT 5 says that a broker has to, and as badly as it may.
//
// What it does right (MQTT 5, sections 4.4, 4.6 and 4.9):
// - messages are sent in the order of their publication, with packet ids that follow one another and skip those
//   in use, and never more of them unacknowledged than the receive maximum;
// - on a session that was kept, what is unacknowledged is sent again, first, in order and with its ids.
//
// How it is bad: it drops connections, with any part of the acknowledgements that were on their way; refuses
// connections for a while; and, without persistence, starts again knowing no session: what it held for it is lost,
// and so is what is published until the next subscription. Ids then start anew.
//
// Invariant: all that is drawn at random comes from the seed.

import TestSupport

/// A message to be published.
struct ScriptedMessage {
  var topic: String
  var payload: [UInt8]
  /// When it is published, in virtual time.
  var atMs: Int64
}

/// The broker and its one session.
final class SimulatedBroker {
  /// What became of a message.
  enum Fate: Equatable {
    case unpublished
    /// In the session, and so to be delivered some time.
    case held
    case acknowledged
    /// Forgotten with the session, or published while there was none. It may have been delivered all the same.
    case lost
  }

  struct Options {
    var receiveMaximum = 20
    /// Once in so many turns a connection breaks; 0 is never.
    var disconnectsOnceIn = 0
    /// Once in so many broken connections the session is lost with it; 0 is never.
    var losesSessionOnceIn = 0
    /// Once in so many connections one is refused; 0 is never.
    var refusesOnceIn = 0
    /// The first packet id of a session. Near the end of the range, they start from 1 again soon.
    var firstPacketID: UInt16 = 1
  }

  /// A message on its way: sent, and not acknowledged.
  struct InFlight: Equatable {
    let packetID: UInt16
    /// Its place in the script.
    let message: Int
  }

  let script: [ScriptedMessage]
  let time: VirtualTime
  var options: Options
  var random: SeededRandom
  private(set) var fates: [Fate]
  private(set) var hasSession = false
  private var isSubscribed = false
  private var inFlight: [InFlight] = []
  /// Messages that wait for room among those in flight.
  private var queue: [Int] = []
  private var nextToPublish = 0
  private var nextPacketID: UInt16
  private weak var connection: SimulatedConnection?
  private var refusesUntilMs = Int64.min
  /// The gateway does not know that the session is not the one before (SessionCount.swift).
  var isSessionUnnoticed = false
  /// What was sent with each packet id.
  private var sent: [UInt16: [Int]] = [:]
  private var mistakable: Set<Int> = []
  /// How often it lost a session that it had.
  private(set) var sessionsLost = 0
  /// How many messages it sent a second time.
  private(set) var redeliveries = 0

  /// - Parameter script: in the order of publication.
  init(script: [ScriptedMessage], time: VirtualTime, options: Options = Options(), seed: UInt64) {
    self.script = script
    self.time = time
    self.options = options
    random = SeededRandom(seed: seed)
    fates = [Fate](repeating: .unpublished, count: script.count)
    nextPacketID = options.firstPacketID
  }

  /// Everything was published, and whatever is not lost was acknowledged.
  var isDrained: Bool { nextToPublish == script.count && inFlight.isEmpty && queue.isEmpty }

  /// When the next message is published; nil when all were.
  var nextPublicationMs: Int64? { nextToPublish < script.count ? script[nextToPublish].atMs : nil }

  // MARK: Publishers

  /// Takes what was published by now, and sends what may be sent.
  func run() {
    while let atMs = nextPublicationMs, atMs <= time.nowMs {
      fates[nextToPublish] = isSubscribed ? .held : .lost
      if isSubscribed { queue.append(nextToPublish) }
      nextToPublish += 1
    }
    guard let connection else { return }
    while !queue.isEmpty, inFlight.count < options.receiveMaximum {
      let packet = InFlight(packetID: takePacketID(), message: queue.removeFirst())
      inFlight.append(packet)
      noteSent(packet)
      connection.deliver(packet)
    }
  }

  private func noteSent(_ packet: InFlight) {
    let message = script[packet.message]
    let saidBefore = sent[packet.packetID, default: []].contains {
      script[$0].topic == message.topic && script[$0].payload == message.payload
    }
    if isSessionUnnoticed && saidBefore { mistakable.insert(packet.message) }
    sent[packet.packetID, default: []].append(packet.message)
  }

  /// Whether the gateway may take a message for one of a session before, that had the same id and said the same, since
  /// it does not know of the new session.
  func mayBeMistaken(_ message: Int) -> Bool { mistakable.contains(message) }

  private func takePacketID() -> UInt16 {
    while inFlight.contains(where: { $0.packetID == nextPacketID }) { countPacketID() }
    defer { countPacketID() }
    return nextPacketID
  }

  // 0 is no packet id (MQTT 5, section 2.2.1).
  private func countPacketID() {
    nextPacketID = nextPacketID == .max ? 1 : nextPacketID + 1
  }

  // MARK: The gateway

  /// Whether a connection is refused now. A refusal is often followed by others.
  func refuses() -> Bool {
    if time.nowMs < refusesUntilMs { return true }
    guard strikes(options.refusesOnceIn) else { return false }
    refusesUntilMs = time.nowMs + Int64.random(in: 0...5_000, using: &random)
    return true
  }

  /// Takes a connection, and ends the one there was (MQTT 5, section 3.1.4). What is in flight in a session that
  /// was kept is sent again behind the answer.
  func accept(_ new: SimulatedConnection) {
    if let old = connection, old !== new { old.breakOff() }
    connection = new
    new.accepted(sessionPresent: hasSession)
    hasSession = true
    for packet in inFlight { new.deliver(packet) }
    redeliveries += inFlight.count
  }

  func subscribe() { isSubscribed = true }

  func acknowledge(packetID: UInt16) {
    guard let place = inFlight.firstIndex(where: { $0.packetID == packetID }) else { return }
    fates[inFlight.remove(at: place).message] = .acknowledged
  }

  /// The connection is gone.
  func disconnected(_ gone: SimulatedConnection) {
    guard connection === gone else { return }
    connection = nil
  }

  /// Starts again, as a broker without persistence: whatever it held is gone.
  func restartWithoutPersistence() {
    connection?.breakOff()
    if hasSession { sessionsLost += 1 }
    for message in inFlight.map(\.message) + queue { fates[message] = .lost }
    inFlight = []
    queue = []
    hasSession = false
    isSubscribed = false
    nextPacketID = options.firstPacketID
  }

  /// Breaks the connection, if it is time for that.
  func breakConnectionSometimes() {
    guard connection != nil, strikes(options.disconnectsOnceIn) else { return }
    if strikes(options.losesSessionOnceIn) { return restartWithoutPersistence() }
    connection?.breakOff()
  }

  func strikes(_ onceIn: Int) -> Bool { onceIn > 0 && random.oneIn(onceIn) }
}
