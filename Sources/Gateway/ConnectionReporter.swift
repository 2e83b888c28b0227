// Says what happens to the connection: one line an event, and not the same line again and again.

import FoundationEssentials
import Ingest
import Logging
import Mosquitto
import Pipeline
import Records

final class ConnectionReporter: IngestObserver {
  private let settings: Settings
  private let log: Logger
  private let signals: Signals
  private let status: () -> PipelineStatus
  private var lastFailure: MosquittoError?

  init(_ settings: Settings, log: Logger, signals: Signals, status: @escaping () -> PipelineStatus) {
    self.settings = settings
    self.log = log
    self.signals = signals
    self.status = status
  }

  private var broker: String { "\(settings.mqtt.host):\(settings.mqtt.port)" }

  func starting() {
    let directory = settings.storage.directory
    log.info("connecting to the broker at \(broker)")
    log.info("writing tables to \(directory)")
    log.info("tail them with: stepgate tail machine_learning_curated --follow --data \(directory)")
  }

  func subscribed(sessionPresent: Bool) {
    lastFailure = nil
    let session = sessionPresent ? "resuming its session" : "with a new session"
    log.info("connected to \(broker) as \(settings.mqtt.clientID) \(session); subscribed")
  }

  func subscriptionRefused(_ filter: String, reasonCode: UInt8) {
    let code = String(reasonCode, radix: 16)
    log.error(
      "the broker refused the subscription to \(filter) (reason 0x\(code)); check topics.* and the broker's ACL"
    )
  }

  func connectFailed(_ reason: MosquittoError, retryInMs: Int) {
    // The first time, and when it is another reason; the retries go on in silence.
    if reason == lastFailure { return }
    lastFailure = reason
    log.error("\(reason); \(hint(reason)) trying again until it works")
  }

  func sessionLost(fromMs: Int64, toMs: Int64) {
    log.warning(
      "the broker no longer knew the session; what it took between \(utc(fromMs)) and \(utc(toMs)) may be lost, see audit/gaps"
    )
  }

  private func utc(_ timeMs: Int64) -> String {
    Date(timeIntervalSince1970: Double(timeMs) / 1000).formatted(.iso8601)
  }

  func disconnected(_ reason: MosquittoError?) {
    guard let reason else { return }
    log.warning("\(reason); connecting again")
  }

  private func hint(_ reason: MosquittoError) -> String {
    switch reason {
    case .refused: "check mqtt.username and mqtt.password_file;"
    case .tls, .unreadableFile: "check mqtt.tls.*;"
    default: "check mqtt.host and mqtt.port;"
    }
  }

  func wokenUp() {
    if signals.takeCountsRequest() { counts(status()) }
  }

  /// The counts in one line.
  func counts(_ status: PipelineStatus) {
    let received = RecordKind.allCases.reduce(0) { $0 + status.counts.received($1) }
    let trusted = status.counts[.accelerometer, .trusted] + status.counts[.stepTrainer, .trusted]
    let pairs = status.rows[.machineLearningCurated] ?? 0
    log.info(
      "received \(received) records, trusted \(trusted) readings, paired \(pairs), held \(status.counts.held), \(status.readingsInState) readings in the join"
    )
  }
}
