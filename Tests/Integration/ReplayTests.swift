// `stepgate replay`, the program, over files: the rows, the summary, and the exit code of all that can go
// wrong.

import Foundation
import Testing

/// The object that `--summary json` prints.
private struct Summary: Decodable, Equatable {
  var records: [String: [String: Int]]
  var tables: [String: Int]
  var seconds: Double

  init(_ outcome: Outcome) throws {
    self = try JSONDecoder().decode(Summary.self, from: Data(outcome.output.utf8))
  }
}

@Suite struct ReplayTests {
  @Test func `A replay writes exactly the rows that consent and time allow`() async throws {
    let files = try LandingFiles()
    let outcome = try await stepgate(files.arguments)

    #expect(outcome.status == 0)
    #expect(outcome.error == "")
    #expect(outcome.output.hasSuffix("\ntables in \(files.output)\n"))
    #expect(
      try files.rows("trusted/customer_trusted") == [
        #"{"email":"ada@x","serialNumber":"S1","lastUpdateDate":500,"shareWithResearchAsOfDate":1000,"#
          + #""customerName":"Ada"}"#,
        #"{"email":"cy@x","serialNumber":"S3","lastUpdateDate":500,"shareWithResearchAsOfDate":5000}"#,
        #"{"email":"eve@x","serialNumber":"S4","shareWithResearchAsOfDate":1}"#,
      ])
    #expect(
      try files.rows("trusted/accelerometer_trusted") == [
        #"{"user":"ada@x","timestamp":1000,"x":1.0,"y":-1.50,"z":2e3}"#,
        #"{"user":"cy@x","timestamp":5000,"x":0,"y":0,"z":1}"#,
      ])
    #expect(
      try files.rows("trusted/step_trainer_trusted") == [
        #"{"sensorReadingTime":1100,"serialNumber":"S1","distanceFromObject":7}"#,
        #"{"sensorReadingTime":1101,"serialNumber":"S1","distanceFromObject":8}"#,
        #"{"sensorReadingTime":5050,"serialNumber":"S3","distanceFromObject":10}"#,
      ])
    #expect(
      try files.rows("curated/customers_curated")
        == Array(files.rows("trusted/customer_trusted").prefix(2)))
    #expect(
      try files.rows("curated/machine_learning_curated") == [
        #"{"sensorReadingTime":1100,"serialNumber":"S1","distanceFromObject":7,"#
          + #""user":"ada@x","timestamp":1000,"x":1.0,"y":-1.50,"z":2e3}"#,
        #"{"sensorReadingTime":5050,"serialNumber":"S3","distanceFromObject":10,"#
          + #""user":"cy@x","timestamp":5000,"x":0,"y":0,"z":1}"#,
      ])
    let rejected = try files.rows("quarantine/rejected")
    #expect(rejected.count == 2)
    #expect(rejected.allSatisfy { $0.contains(#""reason":"malformed""#) })
    #expect(!FileManager.default.fileExists(atPath: "\(files.output)/landing"))
  }

  @Test func `The JSON summary is one object with every verdict and table`() async throws {
    let files = try LandingFiles()
    let outcome = try await stepgate(files.arguments + ["--summary", "json"])
    let summary = try Summary(outcome)

    #expect(outcome.status == 0)
    #expect(outcome.error == "")
    #expect(outcome.output.split(separator: "\n").count == 1)
    #expect(
      summary.records == [
        "customer": [
          "consenting": 3, "not_consenting": 1, "stale": 1, "malformed": 1, "oversized": 0,
          "identity_mismatch": 0,
        ],
        "accelerometer": [
          "trusted": 2, "duplicate": 1, "future": 0, "unknown_customer": 1, "no_consent": 1,
          "before_consent": 2, "malformed": 1, "oversized": 0, "identity_mismatch": 0,
        ],
        "step_trainer": [
          "trusted": 3, "duplicate": 0, "future": 0, "unknown_device": 1, "no_consent": 1,
          "before_consent": 1, "no_accelerometer": 1, "malformed": 0, "oversized": 0,
          "identity_mismatch": 0,
        ],
      ])
    #expect(
      summary.tables == [
        "customer_trusted": 3, "accelerometer_trusted": 2, "step_trainer_trusted": 3,
        "customers_curated": 2, "machine_learning_curated": 2, "rejected": 2,
      ])
    #expect(summary.seconds > 0)
  }

  @Test func `The options change consent, tolerance and pairing`() async throws {
    let wide = try LandingFiles()
    let wideSummary = try Summary(
      await stepgate(wide.arguments + ["--tolerance-ms", "101", "--summary", "json"]))
    #expect(wideSummary.tables["machine_learning_curated"] == 3)

    let presence = try LandingFiles()
    let presenceSummary = try Summary(
      await stepgate(presence.arguments + ["--consent", "presence", "--summary", "json"]))
    #expect(presenceSummary.tables["accelerometer_trusted"] == 4)
    #expect(presenceSummary.records["accelerometer"]?["before_consent"] == 0)

    // Within 3899 ms of 1100 are 1000 and 4999, of 1101 also 5000, of 5050 only 4999 and 5000.
    let timestamp = try LandingFiles()
    let options = ["--pairing", "timestamp", "--tolerance-ms", "3899", "--summary", "json"]
    let timestampSummary = try Summary(await stepgate(timestamp.arguments + options))
    #expect(timestampSummary.tables["machine_learning_curated"] == 4)
  }

  @Test func `A configuration file sets the segments' size and the landing tables`() async throws {
    let files = try LandingFiles()
    let readings = (0..<300).map {
      #"{"user":"ada@x","timestamp":\#(100_000 + $0),"x":1,"y":2,"z":3}"#
    }
    _ = try files.folder.file("accelerometer/2.json", readings.joined(separator: "\n"))
    let config = try files.folder.file(
      "stepgate.yaml", "storage:\n  segment_bytes: 4KiB\nlanding:\n  enabled: true\n")
    let outcome = try await stepgate(files.arguments + ["--config", config, "--summary", "json"])

    #expect(try Summary(outcome).tables["accelerometer_landing"] == 307)
    #expect(try files.rows("trusted/accelerometer_trusted").dropFirst(2) == readings[...])
    let table = "\(files.output)/trusted/accelerometer_trusted"
    let segments = try segmentNames(table)
    #expect(segments.count > 3)
    var offset = 0
    for name in segments {
      #expect(name == String(repeating: "0", count: 20 - "\(offset)".count) + "\(offset).ndjson")
      offset += try String(contentsOfFile: "\(table)/\(name)", encoding: .utf8).split(separator: "\n").count
    }
    #expect(
      try FileManager.default.destinationOfSymbolicLink(atPath: "\(table)/current.ndjson") == segments.last)
  }

  @Test func `Two replays of the same files write the same bytes`() async throws {
    let files = try LandingFiles()
    let second = "\(files.folder.path)/second"
    #expect(try await stepgate(files.arguments).status == 0)
    #expect(try await stepgate(files.arguments(replacing: "--output", with: second)).status == 0)

    for table in ["trusted/step_trainer_trusted", "curated/machine_learning_curated"] {
      #expect(try files.rows(table) == plainRows("\(second)/\(table)"))
    }
  }

  @Test(arguments: ["--customer", "--accelerometer", "--step-trainer"])
  func `Input that cannot be read ends with 74 and a line that names the option`(option: String) async throws
  {
    let files = try LandingFiles()
    let empty = try TemporaryFolder()
    let broken = try TemporaryFolder()
    try FileManager.default.createSymbolicLink(
      atPath: "\(broken.path)/1.json", withDestinationPath: "/nowhere")
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: "\(folder.path)/1.json", withIntermediateDirectories: true)

    for (path, reason) in [
      ("/nowhere", "cannot open /nowhere: No such file or directory"),
      (empty.path, "\(empty.path) holds no *.json, *.ndjson or *.jsonl file"),
      (broken.path, "cannot open \(broken.path)/1.json: No such file or directory"),
      (folder.path, "cannot read \(folder.path)/1.json at byte 0: Is a directory"),
    ] {
      // What a replay that failed has written is in the way of the next.
      try? FileManager.default.removeItem(atPath: files.output)
      let outcome = try await stepgate(files.arguments(replacing: option, with: path))
      #expect(outcome.status == 74)
      #expect(outcome.output == "")
      #expect(outcome.error == "\(option): \(reason)\n")
    }
  }

  @Test func `Output that cannot be written ends with 74 and a line that names the option`() async throws {
    let files = try LandingFiles()
    let file = try files.folder.file("file", "")
    let outcome = try await stepgate(files.arguments(replacing: "--output", with: "\(file)/tables"))

    #expect(outcome.status == 74)
    #expect(outcome.output == "")
    #expect(outcome.error.hasPrefix("--output: cannot create folder \(file)"))
    #expect(outcome.error.split(separator: "\n").count == 1)
  }

  @Test func `A replay adds nothing to tables that are there`() async throws {
    let files = try LandingFiles()
    #expect(try await stepgate(files.arguments).status == 0)
    let before = try files.rows("curated/machine_learning_curated")
    let outcome = try await stepgate(files.arguments)

    #expect(outcome.status == 74)
    #expect(
      outcome.error == "\(files.output) holds tables already; choose an empty or new folder for --output\n")
    #expect(try files.rows("curated/machine_learning_curated") == before)
  }

  @Test func `A summary that cannot be written is no success`() async throws {
    let files = try LandingFiles()
    let outcome = try await stepgate(files.arguments + ["--summary", "json"], redirection: ">/dev/full")

    #expect(outcome.status == 74)
    #expect(outcome.error == "cannot write to stdout: No space left on device\n")
  }

  @Test(arguments: [">&-", "<&- >&- 2>&-"])
  func `What is closed cannot become a table that messages are written into`(redirection: String) async throws
  {
    let files = try LandingFiles()
    let outcome = try await stepgate(files.arguments, redirection: redirection)

    #expect(outcome.status == 74)
    #expect(try await stepgate(["verify", "--data", files.output]).status == 0)
    #expect(try files.rows("trusted/accelerometer_trusted").count == 2)
  }

  @Test func `Wrong usage ends with 64 and wrong settings with 78, before anything is written`() async throws
  {
    let files = try LandingFiles()
    let usage = try await stepgate(files.arguments + ["--consent", "always"])
    #expect(usage.status == 64)
    #expect(usage.error.contains("always"))

    let config = try files.folder.file("wrong.yaml", "join:\n  tolerance: soon\n")
    let settings = try await stepgate(files.arguments + ["--config", config])
    #expect(settings.status == 78)
    #expect(settings.error.hasPrefix("\(config):2: join.tolerance: \"soon\" is not a duration"))

    let environment = ["STEPGATE_JOIN_PAIRING": "any"]
    #expect(try await stepgate(files.arguments, environment: environment).status == 78)
    #expect(!FileManager.default.fileExists(atPath: files.output))
  }
}
