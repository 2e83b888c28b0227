// Says what happens to the connection and to what comes over it: one line an event, and not the same line again and
// again.

import Ingest
import Logging
import Mosquitto
import Pipeline
import Playback
import Records
import Service
import Settings
import Threads

final class IngestReporter: IngestObserver {
  private let settings: Settings
  private let log: Logger
  private let whenSubscribed: () -> Void
  private let countsRequested: () -> Bool
  private let status: () -> PipelineStatus
  // Since the last connection. Not only the last one: a broker may give two reasons in turns.
  private var toldFailures: [MosquittoError] = []

  // Told at the first, and whenever the sum has doubled since.
  private var evictedToTell = 1

  /// - Parameters:
  ///   - countsRequested: asked when the loop was woken up.
  ///   - whenSubscribed: called when the broker has granted all subscriptions.
  init(
    _ settings: Settings, log: Logger, countsRequested: @escaping () -> Bool,
    whenSubscribed: @escaping () -> Void, status: @escaping () -> PipelineStatus
  ) {
    self.settings = settings
    self.log = log
    self.whenSubscribed = whenSubscribed
    self.countsRequested = countsRequested
    self.status = status
  }

  private var broker: String { "\(settings.mqtt.host):\(settings.mqtt.port)" }

  func starting() {
    let directory = settings.storage.directory
    log.info("connecting to the broker at \(broker)")
    log.info("writing tables to \(directory)")
    log.info("tail them with: stepgate tail machine_learning_curated --follow --data \(directory)")
  }

  func subscribed(sessionPresent: Bool, isComplete: Bool) {
    toldFailures = []
    let session = sessionPresent ? "resuming its session" : "with a new session"
    log.info("connected to \(broker) as \(settings.mqtt.clientID) \(session); subscribed")
    if isComplete { whenSubscribed() }
  }

  func subscriptionRefused(_ filter: String, reasonCode: UInt8) {
    let code = String(reasonCode, radix: 16)
    log.error(
      "the broker refused the subscription to \(filter) (reason 0x\(code)); check topics.* and the broker's ACL"
    )
  }

  func connectFailed(_ reason: MosquittoError, retryInMs: Int) {
    if toldFailures.contains(reason) {
      log.debug("\(reason); next attempt in \(retryInMs) ms")
      return
    }
    toldFailures.append(reason)
    log.error("\(reason); \(hint(reason)) trying again until it works")
  }

  func sessionLost(fromMs: Int64, toMs: Int64) {
    log.warning(
      "the broker no longer knew the session; what it took between \(utcText(fromMs)) and \(utcText(toMs)) may be lost, see audit/gaps"
    )
  }

  func roomChanged(isLow: Bool, freeBytes: Int, minFreeBytes: Int) {
    let directory = settings.storage.directory
    if isLow {
      log.error(
        "\(freeBytes >> 20) MiB are free at \(directory), less than storage.min_free_bytes (\(minFreeBytes >> 20) MiB); nothing is read until there is room, the broker keeps the messages"
      )
    } else {
      log.info("there is room again at \(directory), going on")
    }
  }

  func disconnected(_ reason: MosquittoError?) {
    guard let reason else { return }
    log.warning("\(reason); connecting again")
  }

  private func hint(_ reason: MosquittoError) -> String {
    switch reason {
    case .refused(_, _, reasonCode: 0x86), .refused(_, _, reasonCode: 0x87):
      "check mqtt.username and mqtt.password_file;"
    case .refused(_, _, reasonCode: 0x85): "check mqtt.client_id;"
    case .refused: "ask whoever runs it;"
    case .tls, .unreadableFile: "check mqtt.tls.* and the broker's certificate;"
    // A broker that wants a certificate, or TLS at all, hangs up without a word (TLS 1.3 sends the refusal
    // only after the handshake).
    case .connectionLost, .protocolViolation:
      settings.mqtt.tls.isEnabled
        ? "does it want a certificate? check mqtt.tls.*;"
        : "does it want TLS? check mqtt.port and mqtt.tls.ca_file;"
    default: "check mqtt.host and mqtt.port;"
    }
  }

  func wokenUp() {
    if countsRequested() { counts(status()) }
  }

  func secondPassed() {
    let evicted = status().joinCounts.evictedForMemory
    guard evicted >= evictedToTell else { return }
    evictedToTell = evicted * 2
    log.warning(
      "the join reached join.max_memory; \(evicted) of its oldest readings were dropped so far, pairs may be missing"
    )
  }

  /// - Parameter hasSession: whether there ever was a connection.
  func stopped(_ status: PipelineStatus, _ ingest: IngestCounts, hasSession: Bool) {
    counts(status)
    if ingest.redelivered > 0 {
      log.info("the broker sent \(ingest.redelivered) messages again that were in the journal already")
    }
    if ingest.sessionsLost > 0 {
      log.warning("the broker forgot the session, \(ingest.sessionsLost) times; see audit/gaps")
    }
    let seconds = settings.mqtt.sessionExpiryMs / 1000
    log.info(hasSession ? "stopped; the broker keeps the session for \(seconds) s" : "stopped")
  }

  /// The counts in one line.
  func counts(_ status: PipelineStatus) {
    let received = RecordKind.allCases.reduce(0) { $0 + status.counts.received($1) }
    let trusted = status.counts[.accelerometer, .trusted] + status.counts[.stepTrainer, .trusted]
    let pairs = status.rows[.machineLearningCurated] ?? 0
    log.info(
      "received \(received) records, trusted \(trusted) readings, paired \(pairs), held \(status.counts.held), \(status.readingsInState) readings in the join",
      metadata: ConsoleLog.isAnswer)
  }
}
