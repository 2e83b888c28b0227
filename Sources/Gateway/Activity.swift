// What the gateway is doing at the moment, as one sentence for `systemctl status`.

import Ingest
import Service
import Synchronization

/// Kept by those who do it, read by the supervisor.
final class Activity: Sendable {
  enum Phase: Equatable, Sendable {
    case starting
    case playing(doneBytes: Int, totalBytes: Int)
    case waitingForCustomers(path: String)
    case readingCustomers(path: String)
    /// The state of the connection says the rest.
    case running
  }

  private let kept = Mutex(Phase.starting)
  private let broker: String

  /// - Parameter broker: host and port, for the sentence.
  init(broker: String) { self.broker = broker }

  func set(_ phase: Phase) { kept.withLock { $0 = phase } }

  /// - Parameter pairs: the rows of the last table.
  func sentence(_ connection: ConnectionState, pairs: Int) -> Sentence {
    switch kept.withLock({ $0 }) {
    case .starting: Sentence("starting")
    case .playing(let done, let total):
      Sentence("playing the journal, \(done >> 20) of \(total >> 20) MiB", gist: "playing the journal")
    case .waitingForCustomers(let path): Sentence("waiting for the customers in \(path)")
    case .readingCustomers(let path): Sentence("reading the customers in \(path)")
    case .running: sentence(connection, pairs)
    }
  }

  private func sentence(_ connection: ConnectionState, _ pairs: Int) -> Sentence {
    switch connection {
    case .connecting: return Sentence("connecting to the broker at \(broker)")
    case .subscribed:
      let connected = "connected to \(broker)"
      return Sentence("\(connected), \(pairs) pair\(pairs == 1 ? "" : "s") written", gist: connected)
    case .refused(let filters):
      return Sentence(
        "connected to \(broker), but it refused the subscription to \(filters[0]); check topics.* and its ACL"
      )
    case .away(let sinceMs, let reason):
      return Sentence("no connection to the broker at \(broker) since \(utcText(sinceMs)): \(reason)")
    case .noRoom(let freeBytes):
      let rest = "are free, less than storage.min_free_bytes; the broker keeps the messages"
      return Sentence("disk low: \(freeBytes >> 20) MiB \(rest)", gist: rest)
    }
  }
}
