import ArgumentParser
import Gateway

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

  enum SummaryFormat: String, CaseIterable, ExpressibleByArgument {
    case text, json
  }

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
  var consent: Settings.Consent.AsOf?

  @Option(
    help: """
      Whether a pair needs the same customer (owner) or only the time (timestamp) (default: owner).
      """)
  var pairing: Settings.Join.Pairing?

  @Option(help: "How the summary is printed.")
  var summary = SummaryFormat.text

  func validate() throws {
    if let toleranceMs, !(0...Settings.longestDurationMs).contains(toleranceMs) {
      throw ValidationError("--tolerance-ms takes a number from 0 to \(Settings.longestDurationMs).")
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
}

extension Settings.Consent.AsOf: ExpressibleByArgument {}
extension Settings.Join.Pairing: ExpressibleByArgument {}
