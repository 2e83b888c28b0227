// Publishes messages at QoS 1 until the broker has acknowledged every one.
//
// Invariants:
// - No more than `window` messages are unacknowledged at any time.
// - Each message is handed to the library once. It keeps what is not acknowledged and sends it again,
//   first, on the next connection, so the order of messages survives a broker that goes away.

import Glibc
import Mosquitto

/// How far a publisher has got.
public struct PublishProgress: Sendable, Equatable {
  /// Messages handed to the broker, or about to be.
  public var sent = 0
  /// The records in these messages.
  public var records = 0
  /// Messages the broker answered for.
  public var acknowledged = 0
  /// Of these, the ones it refused to take (e.g. an ACL forbids the topic).
  public var refused = 0
  /// Connections lost and made again.
  public var reconnections = 0
}

/// Publishes a sequence of messages over one connection after the other.
public final class Publisher {
  /// The most messages unacknowledged at a time. Above the broker's own limit (20 with mosquitto's defaults)
  /// more only wait here; far above it they cost time, since the library keeps them in a list.
  public var window = 200
  /// Messages a second; nil is as fast as the broker takes them.
  public var ratePerSecond: Double?
  /// How long to try to reach a broker that went away.
  public var giveUpAfterMs = 60_000

  private let client: Client
  private let events = PublisherEvents()
  private var progress = PublishProgress()

  /// A publisher that is not connected yet. The session is discarded first: what an earlier run left in it is
  /// not this run's to finish.
  public init(_ options: ConnectOptions) throws(MosquittoError) {
    var options = options
    options.cleanStart = true
    client = try Client(options)
    client.delegate = events
  }

  /// Publishes everything and returns once all is acknowledged. `report` is called about ten times a second.
  /// Throws if the broker cannot be reached at the start, or for `giveUpAfterMs` later on.
  public func publish(
    _ messages: some Sequence<OutgoingMessage>, report: (PublishProgress) -> Void = { _ in }
  ) throws(MosquittoError) -> PublishProgress {
    var iterator = messages.makeIterator()
    return try publish(from: &iterator, report: report)
  }

  /// The same for an iterator that is looked at afterwards, as that of `FileMessages` must be.
  public func publish(
    from messages: inout some IteratorProtocol<OutgoingMessage>,
    report: (PublishProgress) -> Void = { _ in }
  ) throws(MosquittoError) -> PublishProgress {
    progress = PublishProgress()
    events.reset()
    try connectOnce()
    let pace = Pace(perSecond: ratePerSecond)
    var next = messages.next()
    var nextReportMs = 0
    while next != nil || inFlight > 0 {
      if !client.isConnected { try reconnect() }
      var allowed = min(window - inFlight, pace.allowance(sent: progress.sent))
      while allowed > 0, let message = next {
        try send(message)
        allowed -= 1
        next = messages.next()
      }
      client.writeTurn()
      let isWaitingForPace = next != nil && inFlight < window
      takeTurn(timeoutMs: isWaitingForPace ? pace.msUntilNext(sent: progress.sent) : 100)
      if monotonicMs() >= nextReportMs {
        nextReportMs = monotonicMs() + 100
        report(currentProgress)
      }
    }
    disconnect()
    report(currentProgress)
    return currentProgress
  }

  private var inFlight: Int { progress.sent - events.acknowledged }

  private var currentProgress: PublishProgress {
    progress.acknowledged = events.acknowledged
    progress.refused = events.refused
    return progress
  }

  private func send(_ message: OutgoingMessage) throws(MosquittoError) {
    var failure: MosquittoError?
    message.payload.withUnsafeBytes { payload in
      do throws(MosquittoError) {
        try client.publish(topic: message.topic, payload: payload)
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    progress.sent += 1
    progress.records += max(1, message.records.count)
  }

  /// Sleeps until the broker says something, there is room for what waits to be sent, or the time is up.
  private func takeTurn(timeoutMs: Int) {
    let ready = client.wait(timeoutMs: timeoutMs, forWriting: client.wantsWrite)
    if ready.canRead { client.readTurn(maxMessages: 1_000) }
    client.housekeepingTurn()
  }

  /// One attempt, from the TCP connection to the broker's answer.
  private func connectOnce() throws(MosquittoError) {
    events.failure = nil
    try client.connect()
    while !client.isConnected {
      client.writeTurn()
      takeTurn(timeoutMs: 50)
      if let failure = events.failure { throw failure }
    }
  }

  /// Attempts with growing pauses, 100 ms to 5 s, until one succeeds or it is time to give up.
  private func reconnect() throws(MosquittoError) {
    let deadlineMs = monotonicMs() + giveUpAfterMs
    var pauseMs = 100
    while true {
      do throws(MosquittoError) {
        try connectOnce()
        progress.reconnections += 1
        return
      } catch {
        if monotonicMs() + pauseMs >= deadlineMs { throw error }
      }
      _ = client.wait(timeoutMs: pauseMs)
      pauseMs = min(5_000, pauseMs * 2)
    }
  }

  private func disconnect() {
    client.disconnect()
    let deadlineMs = monotonicMs() + 1_000
    while client.socket >= 0, monotonicMs() < deadlineMs {
      client.writeTurn()
      takeTurn(timeoutMs: 10)
    }
  }
}

/// How many messages may be out by now.
private struct Pace {
  private let perSecond: Double?
  private let startMs = monotonicMs()

  init(perSecond: Double?) {
    self.perSecond = perSecond
  }

  func allowance(sent: Int) -> Int {
    guard let perSecond else { return .max }
    return Int(Double(monotonicMs() - startMs) / 1_000 * perSecond) + 1 - sent
  }

  func msUntilNext(sent: Int) -> Int {
    guard let perSecond else { return 0 }
    let dueMs = startMs + Int((Double(sent) / perSecond * 1_000).rounded(.up))
    return min(100, max(1, dueMs - monotonicMs()))
  }
}

private func monotonicMs() -> Int {
  var now = timespec()
  clock_gettime(CLOCK_MONOTONIC, &now)
  return now.tv_sec * 1_000 + now.tv_nsec / 1_000_000
}

/// Counts the broker's answers.
private final class PublisherEvents: ClientDelegate {
  var acknowledged = 0
  var refused = 0
  var failure: MosquittoError?

  func reset() {
    acknowledged = 0
    refused = 0
    failure = nil
  }

  func published(packetID: UInt16, reasonCode: UInt8) {
    acknowledged += 1
    if reasonCode >= 0x80 { refused += 1 }
  }

  func connectFailed(_ reason: MosquittoError) { failure = reason }

  /// Also counts if it comes right behind the broker's acceptance, before anybody has noticed that.
  func disconnected(_ reason: MosquittoError?) { failure = reason }

  func connected(sessionPresent: Bool) {}
  func received(_ message: borrowing MessageView) {}
  func subscribed(grantedQoS: [UInt8]) {}
}
