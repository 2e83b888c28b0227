import Logging
import Mosquitto
import Records
import Settings
import Synchronization
import Testing

@testable import Gateway
@testable import Ingest
@testable import Playback

/// Keeps what is logged, as "level message".
final class LogRecorder: Sendable {
  private let kept = Mutex<[String]>([])
  private let subscriptions = Mutex(0)

  func noteSubscribed() { subscriptions.withLock { $0 += 1 } }
  /// How often all was subscribed to.
  var subscribed: Int { subscriptions.withLock { $0 } }

  var lines: [String] { kept.withLock { $0 } }

  func logger(_ level: Logger.Level = .info) -> Logger {
    var logger = Logger(label: "test") { _ in Handler(recorder: self) }
    logger.logLevel = level
    return logger
  }

  private struct Handler: LogHandler {
    let recorder: LogRecorder
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      recorder.kept.withLock { $0.append("\(event.level.rawValue) \(event.message)") }
    }
  }
}

@Suite struct IngestReporterTests {
  private let recorder = LogRecorder()
  private let refused = MosquittoError.unreachable(host: "broker.example", port: 8883, errno: 111)

  private func reporter(
    tls: Bool = false, level: Logger.Level = .info, countsRequested: Bool = false,
    evicted: @escaping () -> Int = { 0 }
  ) -> IngestReporter {
    var settings = Settings()
    settings.mqtt.host = "broker.example"
    settings.mqtt.port = 8883
    settings.storage.directory = "/data"
    if tls { settings.mqtt.tls.caFile = "/ca.pem" }
    return IngestReporter(
      settings, log: recorder.logger(level), countsRequested: { countsRequested },
      whenSubscribed: { [recorder] in recorder.noteSubscribed() },
      status: {
        var status = PipelineStatus()
        status.counts.receive(.accelerometer, 3)
        status.counts.receive(.stepTrainer, 4)
        status.counts.judge(.accelerometer, .trusted, 2)
        status.counts.judge(.stepTrainer, .trusted)
        status.counts.judge(.stepTrainer, .held, 3)
        status.rows[.machineLearningCurated] = 7
        status.readingsInState = 6
        status.joinCounts.evictedForMemory = evicted()
        return status
      })
  }

  @Test func `At the start it says where to, where the rows go and how to read them`() {
    reporter().starting()
    #expect(
      recorder.lines == [
        "info connecting to the broker at broker.example:8883", "info writing tables to /data",
        "info tail them with: stepgate tail machine_learning_curated --follow --data /data",
      ])
  }

  @Test(arguments: [(false, "with a new session"), (true, "resuming its session")])
  func `A connection says which session it has`(sessionPresent: Bool, text: String) {
    reporter().subscribed(sessionPresent: sessionPresent, isComplete: true)
    #expect(recorder.lines == ["info connected to broker.example:8883 as stepgate \(text); subscribed"])
  }

  @Test func `A failure is one line, however often it comes and whatever comes in between`() {
    let reporter = reporter()
    for _ in 0..<3 {
      reporter.connectFailed(refused, retryInMs: 500)
      reporter.connectFailed(.connectionLost(errno: 0), retryInMs: 500)
    }
    #expect(recorder.lines.count == 2)
    #expect(
      recorder.lines.first
        == "error cannot connect to the broker at broker.example:8883: Connection refused; "
        + "check mqtt.host and mqtt.port; trying again until it works")

    // A connection in between makes it news again.
    reporter.subscribed(sessionPresent: true, isComplete: true)
    reporter.connectFailed(refused, retryInMs: 500)
    #expect(recorder.lines.count == 4)
  }

  @Test func `At level debug each attempt is a line`() {
    let reporter = reporter(level: .debug)
    reporter.connectFailed(refused, retryInMs: 500)
    reporter.connectFailed(refused, retryInMs: 777)
    #expect(recorder.lines.count == 2)
    #expect(recorder.lines.last?.hasPrefix("debug ") == true)
    #expect(recorder.lines.last?.hasSuffix("; next attempt in 777 ms") == true)
  }

  @Test(arguments: [
    (MosquittoError.refused(host: "h", port: 1, reasonCode: 0x86), "mqtt.username and mqtt.password_file"),
    (.refused(host: "h", port: 1, reasonCode: 0x87), "mqtt.username and mqtt.password_file"),
    (.refused(host: "h", port: 1, reasonCode: 0x85), "mqtt.client_id"),
    (.tls(host: "h", port: 1, reason: "certificate verify failed"), "mqtt.tls.*"),
    (.connectionLost(errno: 0), "mqtt.tls.*"),
    (.unknownHost(host: "h", reason: "unknown"), "mqtt.host"),
    (.timedOut(host: "h", port: 1, timeoutMs: 1), "mqtt.host and mqtt.port"),
  ])
  func `A failure names the settings that are to blame`(reason: MosquittoError, settings: String) {
    reporter(tls: true).connectFailed(reason, retryInMs: 500)
    #expect(
      recorder.lines.first?.contains("; check \(settings)") == true
        || recorder.lines.first?.contains("? check \(settings)") == true)
  }

  @Test func `A lost connection is a warning, the gateway's own end none`() {
    let reporter = reporter()
    reporter.disconnected(.keepaliveExpired)
    reporter.disconnected(nil)
    #expect(
      recorder.lines == ["warning the broker did not answer a ping within the keep alive; connecting again"])
  }

  @Test func `A subscription that the broker refuses is an error with its filter`() {
    reporter().subscriptionRefused("stedi/customer/#", reasonCode: 0x87)
    #expect(recorder.lines.count == 1)
    #expect(
      recorder.lines.first?.hasPrefix(
        "error the broker refused the subscription to stedi/customer/# (reason 0x87)") == true)
  }

  @Test func `With a subscription refused the gateway is not ready, and the next connection may mend it`() {
    let reporter = reporter()
    reporter.subscribed(sessionPresent: false, isComplete: false)
    #expect(recorder.subscribed == 0)
    reporter.subscribed(sessionPresent: true, isComplete: true)
    #expect(recorder.subscribed == 1)
  }

  @Test func `At the end it says that the broker keeps the session, if there ever was one`() {
    for hasSession in [true, false] {
      reporter(level: .info).stopped(PipelineStatus(), IngestCounts(), hasSession: hasSession)
    }
    #expect(
      recorder.lines.filter { $0.contains("stopped") } == [
        "info stopped; the broker keeps the session for 604800 s", "info stopped",
      ])
  }

  @Test func `The counts are logged when they were asked for, and only then`() {
    reporter(countsRequested: false).wokenUp()
    #expect(recorder.lines.isEmpty)
    reporter(countsRequested: true).wokenUp()
    #expect(
      recorder.lines == [
        "info received 7 records, trusted 3 readings, paired 7, held 3, 6 readings in the join"
      ])
  }

  @Test func `Readings that the memory bound costs are told at the first, and when they have doubled`() {
    var evicted = 0
    let reporter = reporter(evicted: { evicted })
    for sum in [0, 0, 5, 5, 9, 10, 10] {
      evicted = sum
      reporter.secondPassed()
    }
    #expect(
      recorder.lines
        == [5, 10].map {
          "warning the join reached join.max_memory; \($0) of its oldest readings were dropped so far, pairs may be missing"
        })
  }
}
