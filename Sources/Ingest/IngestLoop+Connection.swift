// The connection's coming and going, as the client tells of it.
//
// Invariants:
// - The beginning of a session is journaled before its first message.
// - A connection on which nothing is subscribed to ends after `subscribeTimeoutMs`, and counts as one that failed: the
//   pauses before the next ones grow.

import Mosquitto
import Playback

extension IngestLoop: ClientDelegate {
  /// How long a broker may take to answer a subscription.
  static let subscribeTimeoutMs = 30_000

  func connectIfDue() {
    guard !room.isLow, connection.socket < 0, !isConnecting, clock.monotonicMs >= connectAtMs else { return }
    do throws(MosquittoError) {
      try connection.connect()
      isConnecting = true
    } catch { connectFailed(error) }
  }

  public func connected(sessionPresent: Bool) {
    isConnecting = false
    subscribeFailure = nil
    self.sessionPresent = sessionPresent
    if !sessionPresent { beginSession() }
    redeliveries.connected(sessionPresent: sessionPresent)
    // Also on a session that was kept: the filters may have changed since, and it costs one packet.
    subscribeDeadlineMs = clock.monotonicMs + Self.subscribeTimeoutMs
    do throws(MosquittoError) { try connection.subscribe(subscriptions) } catch { subscribeFailure = error }
  }

  /// Gives up a connection on which nothing can be subscribed to.
  func endUnsubscribed() {
    guard connection.isConnected, !connectionStatus.state.takesMessages else { return }
    guard subscribeFailure != nil || clock.monotonicMs >= subscribeDeadlineMs else { return }
    let reason = subscribeFailure ?? .subscriptionUnanswered(timeoutMs: Self.subscribeTimeoutMs)
    disconnect()
    lose(reason)
    observer?.disconnected(reason)
  }

  private func beginSession() {
    let lastContactMs = redeliveries.lastContactMs
    SessionStart.append(lastContactMs: lastContactMs, arrivalMs: arrivalMs, to: batch.entries)
    guard let lastContactMs else { return }
    counts.sessionsLost += 1
    observer?.sessionLost(fromMs: lastContactMs, toMs: arrivalMs)
  }

  public func subscribed(grantedQoS: [UInt8]) {
    subscribedAtMs = clock.monotonicMs
    let refused = zip(subscriptions, grantedQoS).filter { $1 >= 0x80 }
    for (filter, code) in refused { observer?.subscriptionRefused(filter, reasonCode: code) }
    connectionStatus.sessionPresent = sessionPresent
    enter(refused.isEmpty ? .subscribed : .refused(filters: refused.map(\.0)))
    observer?.subscribed(sessionPresent: sessionPresent, isComplete: refused.isEmpty)
  }

  public func connectFailed(_ reason: MosquittoError) {
    let delayMs = retryLater()
    lose(reason)
    observer?.connectFailed(reason, retryInMs: delayMs)
  }

  public func disconnected(_ reason: MosquittoError?) {
    // Only a connection that lasted is a success: two gateways with the same client id connect every time,
    // and throw each other out as often.
    if connectionStatus.state.takesMessages && clock.monotonicMs - subscribedAtMs >= Backoff.lastMs {
      backoff.reset()
    }
    _ = retryLater()
    if let reason { lose(reason) } else if connectionStatus.state.takesMessages { enter(.connecting) }
    observer?.disconnected(reason)
  }

  private func lose(_ reason: MosquittoError) {
    enter(connectionStatus.state.lost(reason.description, nowMs: clock.wallMs))
  }

  func enter(_ state: ConnectionState) {
    connectionStatus.enter(state, nowMs: clock.wallMs)
    publishStatus()
  }

  private func retryLater() -> Int {
    isConnecting = false
    let delayMs = backoff.next()
    connectAtMs = clock.monotonicMs + delayMs
    return delayMs
  }

  public func published(packetID: UInt16, reasonCode: UInt8) {}

  func disconnect() {
    connection.disconnect()
    let deadlineMs = clock.monotonicMs + 1_000
    while connection.wantsWrite && clock.monotonicMs < deadlineMs {
      connection.writeTurn()
      _ = connection.wait(timeoutMs: 10, forWriting: true, wakeup: -1)
    }
  }

  public func received(_ message: borrowing MessageView) { take(message) }
}
