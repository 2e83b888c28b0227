import ArgumentParser
import FoundationEssentials
import Gateway
import Logging
import Playback
import Records
import Service
import Settings

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs the gateway until it is told to stop.",
    discussion: """
      Connects to the MQTT broker, takes readings in, and appends rows to the tables. A message is \
      acknowledged only when it is on stable storage, so the gateway may be killed at any time and goes on \
      where it was. SIGTERM and SIGINT stop it cleanly; SIGHUP has it read its settings and the customer files \
      again; SIGUSR1 logs how much it has done.

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
    let format = ConsoleLog.Format(environment: ProcessInfo.processInfo.environment)
    let settings = try loadSettings(format)
    let signals = Signals()
    let console = ConsoleLog(level: LogLevel(settings.log.level), format: format)
    let start = ContinuousClock.now
    let status: PipelineStatus
    do throws(DaemonError) {
      let daemon = try Daemon(settings, console: console, signals: signals)
      status = try daemon.run { [config] () throws(SettingsError) in try Settings.load(file: config) }
    } catch {
      log(console).critical("\(error)")
      throw error.kind == .configuration ? ExitStatus.wrongConfiguration : ExitStatus.inputOutputFailed
    }
    let summary = ReplaySummary(counts: status.counts, rows: status.rows, seconds: start.secondsUntilNow)
    switch self.summary {
    case .text: try printData(summary.text(output: settings.storage.directory))
    case .json: try printData(summary.json)
    case nil: break
    }
    guard status.counts.balance else {
      log(console).critical(
        "the verdicts do not add up to the records received; this is a defect of stepgate")
      throw ExitStatus.foundSomethingWrong
    }
  }
  private func log(_ console: ConsoleLog) -> Logger { Logger(label: "stepgate") { _ in console } }

  /// The settings, or the end with every problem on stderr: for the journal as lines with a priority.
  private func loadSettings(_ format: ConsoleLog.Format) throws(ExitCode) -> Settings {
    do throws(SettingsError) { return try Settings.load(file: config) } catch {
      let console = ConsoleLog(level: LogLevel(.info), format: format)
      for problem in error.problems {
        if case .journal = format { log(console).critical("\(problem)") } else { printMessage("\(problem)") }
      }
      throw ExitStatus.wrongConfiguration
    }
  }
}
