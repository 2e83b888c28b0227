// From a status to one sentence: whether the gateway is well, and if not, what to look at.
//
// Invariants: a function of the status alone, so that page, terminal and tests see the same; a sentence stays the same
// while what it tells of does, so that nobody is told it again and again.

extension GatewayStatus.Health {
  // A connection that is away for a moment is no news.
  private static let reconnectMs: Int64 = 5_000
  // The ingest thread tells of itself each second, unless it waits for the disk.
  private static let silentMs = 10_000
  private static let backlogBytes = 64 << 20

  /// The health of a gateway in this state; what is worst makes the headline.
  public init(of status: GatewayStatus) {
    self.init()
    let problems = Self.problems(of: status)
    let bad = problems.filter { $0.level == .bad }
    let others = problems.filter { $0.level == .attention }
    let ordered = bad + others
    guard let worst = ordered.first else {
      level = .good
      headline = Self.allIsWell(status)
      return
    }
    level = worst.level
    headline = worst.text
    details = ordered.dropFirst().map(\.text)
  }

  private typealias Problem = (level: Level, text: String)

  private static func problems(of status: GatewayStatus) -> [Problem] {
    switch status.phase {
    case .starting: return [(.attention, "Starting.")]
    case .recovering: return [(.attention, "Playing the journal; it connects to the broker afterwards.")]
    case .waitingForCustomers:
      let text = "Waiting for the customer files (customers.path); nothing is taken in before they are there."
      return [(.attention, text)]
    case .stopping: return [(.attention, "Stopping; the broker keeps the messages.")]
    case .running: return intakeProblems(of: status) + otherProblems(of: status)
    }
  }

  // What keeps messages from coming in.
  private static func intakeProblems(of status: GatewayStatus) -> [Problem] {
    let problem = connectionProblem(of: status)
    guard status.connection.silentForMs > silentMs else { return [problem].compactMap(\.self) }
    let silence: Problem = (.bad, "Ingest stands still. Is the disk stuck?")
    if case .noRoom = status.connection.state { return [problem, silence].compactMap(\.self) }
    return [silence, problem].compactMap(\.self)
  }

  private static func connectionProblem(of status: GatewayStatus) -> Problem? {
    let connecting: Problem = (.attention, "Connecting to the broker at \(status.connection.broker).")
    switch status.connection.state {
    case .subscribed: return nil
    case .connecting: return connecting
    case .away(let sinceMs, let reason):
      return status.nowAtMs - sinceMs < reconnectMs ? connecting : (.bad, "Not connected: \(reason).")
    case .refused(let filters):
      let text = "The broker refused the subscription to \(filters[0]); check topics.* and the broker's ACL."
      return (.bad, text)
    case .noRoom:
      let reserve = status.disk.reserveBytes >> 20
      let text = "The disk has less than \(reserve) MiB free (storage.min_free_bytes)."
      return (.bad, text + " Nothing is taken in; the broker keeps the messages.")
    }
  }

  private static func otherProblems(of status: GatewayStatus) -> [Problem] {
    var texts: [String] = []
    if status.journal.positionBytes - status.journal.playedPositionBytes > backlogBytes {
      texts.append("The engine is more than \(backlogBytes >> 20) MiB of the journal behind.")
    }
    if let join = status.pipeline?.join, let before = status.history.first,
      join.evictedForMemory > before.evictedForMemory
    {
      texts.append("The join reached join.max_memory; its oldest readings are dropped, pairs may be missing.")
    }
    if hasLostSession(status) {
      texts.append("The broker forgot the session; messages may be lost, see the table gaps.")
    }
    if status.reload?.isGood == false {
      texts.append("The last reload of the settings failed; the old ones hold.")
    }
    if let keys = status.reload?.restartKeys, !keys.isEmpty {
      texts.append("Changed, but in force only after a restart: \(keys.joined(separator: ", ")).")
    }
    if status.customerFilesAreGood == false {
      texts.append("The customer files cannot be used; the last good ones hold.")
    }
    return texts.map { (.attention, $0) }
  }

  // A day long: whoever looks in the morning is to see it.
  private static func hasLostSession(_ status: GatewayStatus) -> Bool {
    let connection = status.connection
    guard connection.sessionsLost > 0, !connection.sessionPresent, let sinceMs = connection.sinceAtMs else {
      return false
    }
    return status.nowAtMs - sinceMs < 24 * 3_600_000
  }

  private static func allIsWell(_ status: GatewayStatus) -> String {
    if status.connection.messages == 0 { return "All is well. No message has come yet." }
    if status.rates.messages == 0 { return "All is well. No message came in the last minute." }
    return "All is well. Messages come in and rows go out."
  }
}
