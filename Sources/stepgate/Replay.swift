import ArgumentParser
import CFastPath
import FoundationEssentials
import Gateway
import Join
import Pipeline
import Records
import Settings
import Storage

struct Replay: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs the gateway's pipeline over files, without a broker.",
    discussion: """
      Reads customers, then readings, and writes the tables that the running gateway would have written, \
      except that no reading is too late. A PATH is a file or a folder; of a folder the files *.json, \
      *.ndjson and *.jsonl are read in the order of their names. At the end it prints how many records got \
      which verdict and how many rows each table has.

      Example:
        stepgate replay --customer data/customer --accelerometer data/accelerometer \\
          --step-trainer data/step_trainer --output tables
      """)

  @Option(help: ArgumentHelp("Customer records.", valueName: "path"), completion: .file())
  var customer: String

  @Option(help: ArgumentHelp("Accelerometer readings.", valueName: "path"), completion: .file())
  var accelerometer: String

  @Option(help: ArgumentHelp("Step trainer readings.", valueName: "path"), completion: .file())
  var stepTrainer: String

  @Option(help: ArgumentHelp("The folder for the tables.", valueName: "dir"), completion: .directory)
  var output: String

  @Option(
    help: ArgumentHelp(
      "A configuration file, YAML; the options below override it (default: the built-in defaults).",
      valueName: "file"),
    completion: .file(extensions: ["yaml", "yml"]))
  var config: String?

  @Option(
    help: ArgumentHelp(
      "How far apart in time two readings may be to make a pair, in milliseconds (default: 100).",
      valueName: "n"))
  var toleranceMs: Int64?

  @Option(
    help: """
      Whether a consent counts from its date on (enforce) or for all readings (presence) (default: enforce).
      """)
  var consent: ConsentMode?

  @Option(
    help: """
      Whether a pair needs the same customer (owner) or only the time (timestamp) (default: owner).
      """)
  var pairing: Pairing?

  @Option(help: "How the summary is printed.")
  var summary = SummaryFormat.text

  func validate() throws {
    if let toleranceMs, !(0...Settings.longestDurationMs).contains(toleranceMs) {
      throw ValidationError("--tolerance-ms takes a number from 0 to \(Settings.longestDurationMs).")
    }
    try refuseEmptyPath(output, "--output")
  }

  func run() throws {
    // Readings lie in many small pieces: with large pages a replay of 48 million records takes 19.6 instead of 20.5 s
    // (medians of three in turns).
    sg_reserve_heap()
    let settings = try settings()
    let result = try replay(settings)
    switch summary {
    case .text: try printData(result.text(output: output))
    case .json: try printData(result.json)
    }
    guard result.isBalanced else {
      printMessage("the verdicts do not add up to the records read; this is a defect of stepgate")
      throw ExitStatus.foundSomethingWrong
    }
  }

  /// The settings of `--config`, overridden by the options.
  ///
  /// The files that the settings name are not looked at: whoever replays need not be the daemon's user.
  func settings() throws(ExitCode) -> Settings {
    var settings = try loadSettings(file: config, checksFiles: false)
    if let toleranceMs { settings.join.toleranceMs = toleranceMs }
    if let consent { settings.consent.asOf = consent }
    if let pairing { settings.join.pairing = pairing }
    return settings
  }

  private func replay(_ settings: Settings) throws(ExitCode) -> ReplaySummary {
    let plan = ReplayPlan(
      customerPath: customer, accelerometerPath: accelerometer, stepTrainerPath: stepTrainer,
      outputDirectory: output, maxRecordBytes: settings.limits.maxMessageBytes)

    let start = ContinuousClock.now
    var progress = TerminalProgress()
    do throws(ReplayError) {
      let replay = try Pipeline.Replay(
        plan, settings: EngineSettings(settings), fileSystem: LocalFileSystem(),
        arrivalMs: Int64(Date().timeIntervalSince1970 * 1_000))
      let total = replay.byteCount
      let result = try replay.run { handled in
        progress.update(progressLine(handled: handled, total: total, seconds: start.secondsUntilNow))
      }
      progress.finish()
      return ReplaySummary(counts: result.counts, rows: result.rows, seconds: start.secondsUntilNow)
    } catch {
      progress.finish()
      printMessage(message(for: error))
      throw ExitStatus.inputOutputFailed
    }
  }

  private func progressLine(handled: Int, total: Int, seconds: Double) -> String {
    let megabytes = Double(handled) / 1_000_000
    return "replay: \(handled * 100 / max(total, 1)) %, \(Int(megabytes / max(seconds, 0.001))) MB/s"
  }

  /// The error behind the option that led to it.
  private func message(for error: ReplayError) -> String {
    switch error {
    case .input(let error): "\(option(of: error.path)): \(error)"
    case .output(let error): "--output: \(error)"
    case .tables(let error): "--output: \(error)"
    case .outputNotEmpty: error.description
    }
  }

  private func option(of inputPath: String) -> String {
    func holds(_ path: String) -> Bool { inputPath == path || inputPath.hasPrefix(path + "/") }
    if holds(customer) { return "--customer" }
    return holds(accelerometer) ? "--accelerometer" : "--step-trainer"
  }
}

extension RecordFilesError {
  fileprivate var path: String {
    switch self {
    case .storage(let error): error.path
    case .noFiles(let path), .arrayTooLarge(let path, _): path
    }
  }
}

extension ContinuousClock.Instant {
  var secondsUntilNow: Double { duration(to: .now) / .seconds(1) }
}

extension ConsentMode: ExpressibleByArgument {}
extension Pairing: ExpressibleByArgument {}

enum SummaryFormat: String, CaseIterable, ExpressibleByArgument {
  case text, json
}
