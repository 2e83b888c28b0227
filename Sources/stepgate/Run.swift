import ArgumentParser
import Gateway
import Ingest
import Logging
import Records

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs the gateway until it is told to stop.",
    discussion: """
      Connects to the MQTT broker, takes readings in, and appends rows to the tables. A message is \
      acknowledged only when it is on stable storage, so the gateway may be killed at any time and goes on \
      where it was. SIGTERM and SIGINT stop it cleanly; SIGUSR1 logs how much it has done.

      Example:
        stepgate run --config /etc/stepgate/stepgate.yaml
      """)

  @Option(
    help: ArgumentHelp(
      "The configuration file, YAML (default: the built-in defaults).",
      discussion: "Environment variables override it: STEPGATE_MQTT_HOST stands for mqtt.host.",
      valueName: "file"),
    completion: .file(extensions: ["yaml", "yml"]))
  var config: String?

  @Option(help: "Prints the verdicts and the rows of each table when it has stopped.")
  var summary: SummaryFormat?

  func run() throws {
    let settings = try loadSettings(file: config)
    let signals = Signals()
    let log = Logger(label: "stepgate") { _ in ConsoleLog(level: settings.log.level) }
    let start = ContinuousClock.now
    let status: PipelineStatus
    do throws(DaemonError) {
      status = try Daemon(settings, log: log, signals: signals).run()
    } catch {
      log.critical("\(error)")
      throw error.kind == .configuration ? ExitStatus.wrongConfiguration : ExitStatus.inputOutputFailed
    }
    let summary = ReplaySummary(counts: status.counts, rows: status.rows, seconds: start.secondsUntilNow)
    switch self.summary {
    case .text: try printData(summary.text(output: settings.storage.directory))
    case .json: try printData(summary.json)
    case nil: break
    }
    guard status.counts.balance else {
      log.critical("the verdicts do not add up to the records received; this is a defect of stepgate")
      throw ExitStatus.foundSomethingWrong
    }
  }
}
