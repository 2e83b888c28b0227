// What the gateway is doing at the moment, as one sentence for `systemctl status`.

import Service
import Synchronization

/// Kept by those who do it, read by the supervisor.
final class Activity: Sendable {
  enum Phase: Equatable, Sendable {
    case starting
    case playing(doneBytes: Int, totalBytes: Int)
    case readingCustomers(path: String)
    case connecting
    /// Milliseconds since 1970-01-01 UTC.
    case disconnected(sinceMs: Int64, reason: String)
    case connected
    case refused(filter: String)
    case lowOnRoom(freeBytes: Int)

    /// The phase without its numbers.
    var kind: Phase {
      switch self {
      case .playing: .playing(doneBytes: 0, totalBytes: 0)
      case .lowOnRoom: .lowOnRoom(freeBytes: 0)
      default: self
      }
    }
  }

  private let kept = Mutex(Phase.starting)
  private let broker: String

  /// - Parameter broker: host and port, for the sentence.
  init(broker: String) { self.broker = broker }

  var phase: Phase { kept.withLock { $0 } }

  func set(_ phase: Phase) { kept.withLock { $0 = phase } }

  /// The connection is lost or could not be made; it counts as gone since the first time.
  func lostConnection(_ reason: String, nowMs: Int64) {
    kept.withLock { phase in
      switch phase {
      case .disconnected(let sinceMs, _): phase = .disconnected(sinceMs: sinceMs, reason: reason)
      // Given up on purpose: the reason for that is the one to tell.
      case .lowOnRoom: break
      default: phase = .disconnected(sinceMs: nowMs, reason: reason)
      }
    }
  }

  /// - Parameter pairs: the rows of the last table.
  func sentence(pairs: Int) -> Sentence {
    let phase = phase
    return Sentence(text(phase, pairs: pairs), gist: text(phase.kind, pairs: 0))
  }

  private func text(_ phase: Phase, pairs: Int) -> String {
    switch phase {
    case .starting: "starting"
    case .playing(let done, let total): "playing the journal, \(done >> 20) of \(total >> 20) MiB"
    case .readingCustomers(let path): "reading the customers in \(path)"
    case .connecting: "connecting to the broker at \(broker)"
    case .disconnected(let sinceMs, let reason):
      "no connection to the broker at \(broker) since \(utcText(sinceMs)): \(reason)"
    case .connected: "connected to \(broker), \(pairs) pair\(pairs == 1 ? "" : "s") written"
    case .refused(let filter):
      "connected to \(broker), but it refused the subscription to \(filter); check topics.* and its ACL"
    case .lowOnRoom(let freeBytes):
      "disk low: \(freeBytes >> 20) MiB are free, less than storage.min_free_bytes; the broker keeps the messages"
    }
  }
}
