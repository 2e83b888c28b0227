// Where the gateway stands with its broker: the one notion of it. The ingest loop moves it, and whoever tells of it
// (status, health, metrics, readiness, service manager) tells from it.
//
//     connecting ──▶ subscribed or refused ──▶ away ──▶ subscribed or refused ──▶ …
//         └───────────────────────────────────▶ away
//     From each of them to `noRoom`, and from there back to `connecting` alone.

/// The state of the connection.
public enum ConnectionState: Equatable, Sendable {
  /// Not connected yet, and nothing is known to be wrong.
  case connecting
  /// The broker has granted all subscriptions: messages come.
  case subscribed
  /// Messages come, but for those that match these topic filters, which the broker refused.
  case refused(filters: [String])
  /// There is no connection, since this time (milliseconds since 1970-01-01 UTC), for this reason last.
  case away(sinceMs: Int64, reason: String)
  /// Given up, because the disk has less room than is to be left free; the broker keeps the messages.
  case noRoom(freeBytes: Int)

  /// Whether messages come.
  public var takesMessages: Bool {
    switch self {
    case .subscribed, .refused: true
    case .connecting, .away, .noRoom: false
    }
  }

  /// The topic filters that the broker refused.
  public var refusedFilters: [String] { if case .refused(let filters) = self { filters } else { [] } }

  /// The state when a connection was lost or did not come about. It is away since the first time.
  func lost(_ reason: String, nowMs: Int64) -> ConnectionState {
    switch self {
    case .away(let sinceMs, _): .away(sinceMs: sinceMs, reason: reason)
    // Given up on purpose: that is the reason to tell.
    case .noRoom: self
    case .connecting, .subscribed, .refused: .away(sinceMs: nowMs, reason: reason)
    }
  }
}

/// The connection to the broker.
public struct ConnectionStatus: Equatable, Sendable {
  public private(set) var state = ConnectionState.connecting
  /// Since when messages come, or do not; milliseconds since 1970-01-01 UTC. Nil before the first attempt.
  public private(set) var sinceMs: Int64?
  /// Whether the broker knew the session when the gateway connected.
  public var sessionPresent = false
  /// How often it was connected and subscribed.
  public private(set) var connects = 0
  /// Why there is no connection, or why the last one ended.
  public private(set) var lastError: String?

  public init() {}

  mutating func enter(_ new: ConnectionState, nowMs: Int64) {
    let isFirst = if sinceMs == nil, case .away = new { true } else { false }
    if isFirst || new.takesMessages != state.takesMessages { sinceMs = nowMs }
    if new.takesMessages { connects += 1 }
    if case .away(_, let reason) = new { lastError = reason }
    state = new
  }
}
