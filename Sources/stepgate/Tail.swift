import ArgumentParser
import Gateway

struct Tail: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prints the rows of a table, and with --follow those to come.",
    discussion: """
      Prints whole rows only, across segments, never one twice and never with a gap. A row's offset is its \
      number in its table, from 0; a reader that remembers the next one can go on from there.

      Examples:
        stepgate tail machine_learning_curated --follow
        stepgate tail step_trainer_trusted --from-offset 0 --lines 1000
      """)

  @Argument(help: "The table.")
  var table: TableName

  @Option(help: ArgumentHelp(dataHelp, valueName: "dir"), completion: .directory)
  var data = defaultDataDirectory

  @Flag(help: "Goes on with the rows to come, until it is interrupted.")
  var follow = false

  @Option(
    help: ArgumentHelp(
      "How many rows: the last N, or the first N from --from-offset on (default: the last 10, or all).",
      valueName: "n"))
  var lines: Int?

  @Option(help: ArgumentHelp("The offset of the first row to print.", valueName: "n"))
  var fromOffset: Int64?

  func validate() throws {
    if let lines, lines < 0 { throw ValidationError("--lines takes a number from 0.") }
    if let fromOffset, fromOffset < 0 { throw ValidationError("--from-offset takes a number from 0.") }
  }
}

/// The tables by the names of their folders.
enum TableName: String, CaseIterable, ExpressibleByArgument {
  case customerLanding = "customer_landing"
  case accelerometerLanding = "accelerometer_landing"
  case stepTrainerLanding = "step_trainer_landing"
  case customerTrusted = "customer_trusted"
  case accelerometerTrusted = "accelerometer_trusted"
  case stepTrainerTrusted = "step_trainer_trusted"
  case customersCurated = "customers_curated"
  case machineLearningCurated = "machine_learning_curated"
  case rejected
}
