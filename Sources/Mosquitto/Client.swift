// A single-threaded MQTT 5 client that reads only in read turns and writes only in write turns.
//
// Why: at QoS 1 libmosquitto queues the PUBACK before it hands over the message, and has no option for
// manual acknowledgement. Told that it is threaded from outside (`mosquitto_threaded_set`) it only queues
// whatever is outgoing, so nothing leaves before the owner, having made durable what it read, takes a write
// turn. `AcknowledgementCheck` proves that of the linked library at start-up, and
// `checkAcknowledgementsWithheld` watches it while running.
//
// Invariants:
// - Not one byte is sent outside `writeTurn` (but TLS records of the handshake, in read turns).
// - What is queued and not yet sent when the connection ends is dropped; the broker sends those messages
//   again.
// - All calls come from one thread, that of the owner; the class is not Sendable, so the compiler sees to it.
//
// A cost that is known: in this mode the library also writes a byte to an internal socket pair with every
// packet it queues, to wake a select that nobody waits in. The pair is non-blocking and full after some 280
// packets; from then on the write fails with EAGAIN, which costs a system call per packet and breaks
// nothing. But `mosquitto_loop_read` looks at errno after a packet and takes that EAGAIN for an empty
// socket: it returns early, with TLS even while decrypted bytes wait inside OpenSSL, where poll cannot see
// them. So `readTurn` calls it until a call comes back with EAGAIN *and* no packet.

import CMosquitto
import Glibc

/// What a read turn left behind.
public enum ReadTurnOutcome: Sendable, Equatable {
  /// Nothing more to read at the moment.
  case drained
  /// The bound was reached; there may be more, and the next `wait` returns at once.
  case boundReached
}

/// What `Client.wait` saw.
public struct Readiness: Sendable, Equatable {
  /// A read turn has something to do, be it to notice that the connection ended.
  public var canRead = false
  /// A write turn would not be in vain.
  public var canWrite = false
  /// The descriptor given as `wakeup` has something to read.
  public var wokenUp = false
}

/// An MQTT 5 client over libmosquitto; see `ClientDelegate` for what it reports, and when.
public final class Client {
  enum Phase: Equatable {
    case idle
    case connecting(deadlineMs: Int)
    case connected
    case disconnecting
  }

  /// What the client was made with.
  public let options: ConnectOptions

  /// Told of every event. Not retained.
  public weak var delegate: (any ClientDelegate)?

  let handle: OpaquePointer
  var phase = Phase.idle

  /// True while a C callback runs: turns are bugs then.
  var isInCallback = false
  /// Callbacks during the present `mosquitto_loop_read`: did it find a packet?
  var packetsSeen = 0
  /// Messages during the present read turn, against its bound.
  var messagesSeen = 0
  /// QoS 1 messages whose acknowledgement must still be in the library's queue.
  var withheldAcknowledgements = 0
  /// The last read turn ended at its bound.
  var mayHoldMore = false
  /// Why the present connection is ending, from CONNACK or DISCONNECT; 0 if the broker said nothing.
  var reasonFromBroker: UInt8 = 0
  /// The library's own reason for ending the connection, from its callback.
  var endCode: Int32 = 0
  /// Error lines the library logged while connecting: OpenSSL's reasons.
  var errorLines: [String] = []

  /// A client that is not connected yet.
  ///
  /// Side effect of the library: SIGPIPE is ignored in the whole process.
  public convenience init(_ options: ConnectOptions) throws(MosquittoError) {
    try self.init(options, withholdingAcknowledgements: true)
  }

  /// `withholdingAcknowledgements: false` exists to show that the self test notices.
  init(_ options: ConnectOptions, withholdingAcknowledgements: Bool) throws(MosquittoError) {
    try Library.initialise()
    // Not left to the library: in 2.0.11 a `mosquitto_new` that refuses its client id closes file descriptor 0,
    // which by then may be anybody's file (github.com/eclipse-mosquitto/mosquitto/issues/2326).
    guard
      !options.clientID.isEmpty,
      mosquitto_validate_utf8(options.clientID, Int32(clamping: options.clientID.utf8.count))
        == MOSQ_ERR_SUCCESS.rawValue,
      let handle = mosquitto_new(options.clientID, options.cleanStart, nil)
    else { throw .invalidOption("the client id \"\(options.clientID)\" is empty or no text for MQTT") }
    self.options = options
    self.handle = handle
    mosquitto_user_data_set(handle, Unmanaged.passUnretained(self).toOpaque())
    mosquitto_threaded_set(handle, withholdingAcknowledgements)
    installCallbacks()
    try configure()
  }

  /// Closes the connection as a crash would: nothing that is queued is sent.
  deinit {
    mosquitto_destroy(handle)
  }

  // MARK: State

  /// True from CONNACK to the end of the connection.
  public var isConnected: Bool { phase == .connected }

  /// The socket, to poll along with others; -1 without a connection. `wait` is the better choice with TLS.
  public var socket: Int32 { phase == .idle ? -1 : mosquitto_socket(handle) }

  /// Something waits for a write turn.
  public var wantsWrite: Bool { phase != .idle && mosquitto_want_write(handle) }

  /// Throws if the acknowledgement of a message read since the last write turn is no longer queued. Costs
  /// next to nothing; call it after a read turn, before what was read is relied on.
  public func checkAcknowledgementsWithheld() throws(MosquittoError) {
    guard phase == .connected, withheldAcknowledgements > 0, !wantsWrite else { return }
    throw .acknowledgementsNotWithheld(
      detail: "\(withheldAcknowledgements) messages were read and nothing waits to be sent")
  }

  // MARK: Turns

  /// Reads what the socket holds, until it is empty or `maxMessages` messages were delivered. With TLS a
  /// turn can exceed the bound by what one TLS record (16 KiB) holds.
  @discardableResult
  public func readTurn(maxMessages: Int) -> ReadTurnOutcome {
    precondition(maxMessages > 0 && !isInCallback)
    messagesSeen = 0
    mayHoldMore = false
    // Packets count too, so that a broker cannot keep a turn going with something other than messages.
    var packets = 0
    while phase != .idle {
      guard messagesSeen < maxMessages, packets < maxMessages else {
        mayHoldMore = true
        return .boundReached
      }
      packets += 1
      packetsSeen = 0
      errno = 0
      let code = mosquitto_loop_read(handle, 1)
      let systemError = errno
      if connectionEnded(code, systemError) { break }
      if packetsSeen == 0 && (systemError == EAGAIN || phase != .connected) { break }
    }
    failDeadHandshake()
    return .drained
  }

  /// Sends what is queued, acknowledgements included, as far as the socket takes it: call it only when
  /// all that was read is durable. `wantsWrite` tells whether something is left.
  public func writeTurn() {
    precondition(!isInCallback)
    guard wantsWrite else { return }
    withheldAcknowledgements = 0
    // One segment for thousands of 4-byte acknowledgements, and no waiting for the broker's delayed ACKs.
    setCork(true)
    errno = 0
    let code = mosquitto_loop_write(handle, 1)
    let systemError = errno
    if !connectionEnded(code, systemError) { setCork(false) }
  }

  /// Keep alive and time-outs; call it about once a second.
  public func housekeepingTurn() {
    precondition(!isInCallback)
    if case .connecting(let deadlineMs) = phase, monotonicMs() >= deadlineMs {
      abandon(timedOut)
    } else if phase != .idle {
      errno = 0
      let code = mosquitto_loop_misc(handle)
      _ = connectionEnded(code, errno)
    }
  }

  /// Sleeps until there is something to read, room to write if `forWriting`, something to read on `wakeup`,
  /// or `timeoutMs` has passed; a signal ends it early. Without a connection it only waits for `wakeup`.
  public func wait(timeoutMs: Int, forWriting: Bool = false, wakeup: Int32 = -1) -> Readiness {
    let events = forWriting ? POLLIN | POLLOUT : POLLIN
    var entries = (
      pollfd(fd: socket, events: Int16(events), revents: 0),
      pollfd(fd: wakeup, events: Int16(POLLIN), revents: 0)
    )
    let sleepMs = mayHoldMore && phase != .idle ? 0 : Int32(clamping: max(0, timeoutMs))
    withUnsafeMutableBytes(of: &entries) { bytes in
      _ = poll(bytes.bindMemory(to: pollfd.self).baseAddress!, 2, sleepMs)
    }
    let seen = Int32(entries.0.revents)
    return Readiness(
      canRead: seen & ~POLLOUT != 0 || (mayHoldMore && phase != .idle),
      canWrite: seen & POLLOUT != 0,
      wokenUp: entries.1.revents != 0)
  }

  // MARK: Requests

  /// Asks for all messages that match one of `filters` at QoS 1, in one SUBSCRIBE; the answer is
  /// `ClientDelegate.subscribed`. Messages kept by the broker come only for subscriptions that are new
  /// (MQTT 5, section 3.8.3.1, retain handling 1), not again on every reconnection.
  public func subscribe(_ filters: [String]) throws(MosquittoError) {
    guard phase == .connected else { throw .notConnected }
    for filter in filters where mosquitto_sub_topic_check(filter) != MOSQ_ERR_SUCCESS.rawValue {
      throw .invalidOption("\"\(filter)\" is not a topic filter")
    }
    var strings = filters.map { strdup($0) }
    defer { strings.forEach { free($0) } }
    let code = mosquitto_subscribe_multiple(
      handle, nil, Int32(strings.count), &strings, 1, Int32(MQTT_SUB_OPT_SEND_RETAIN_NEW.rawValue), nil)
    guard code == MOSQ_ERR_SUCCESS.rawValue else { throw .library(operation: "subscribe", code: code) }
  }

  /// Queues a message and returns its packet identifier. At QoS 1 the library keeps it until the broker
  /// acknowledged it, and sends it again after a reconnection.
  @discardableResult
  public func publish(
    topic: String, payload: UnsafeRawBufferPointer, qos: UInt8 = 1, retain: Bool = false
  ) throws(MosquittoError) -> UInt16 {
    precondition(qos <= 1)
    guard phase == .connected else { throw .notConnected }
    var packetID: Int32 = 0
    let code = mosquitto_publish_v5(
      handle, &packetID, topic, Int32(clamping: payload.count), payload.baseAddress, Int32(qos), retain, nil)
    guard code == MOSQ_ERR_SUCCESS.rawValue else {
      throw .library(operation: "publish to \"\(topic)\"", code: code)
    }
    return UInt16(truncatingIfNeeded: packetID)
  }

  /// Queues DISCONNECT behind all that is queued already; the write turn that sends it ends the connection.
  /// The broker keeps the session for its expiry.
  public func disconnect() {
    guard phase == .connected else { return abandon(nil) }
    phase = .disconnecting
    mosquitto_disconnect_v5(handle, 0, nil)
  }

  private func setCork(_ isOn: Bool) {
    var value: Int32 = isOn ? 1 : 0
    setsockopt(
      mosquitto_socket(handle), Int32(IPPROTO_TCP), TCP_CORK, &value, socklen_t(MemoryLayout<Int32>.size))
  }
}
