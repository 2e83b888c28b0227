// Made-up landing files, small enough to say by hand what must become of each record.

import Foundation

/// Landing files in a folder of their own, and the arguments to replay them.
struct LandingFiles {
  let folder: TemporaryFolder
  var output: String { "\(folder.path)/tables" }
  var arguments: [String] {
    ["replay"] + inputs.flatMap { ["--\($0)", "\(folder.path)/\($0)"] } + ["--output", output]
  }
  private let inputs = ["customer", "accelerometer", "step-trainer"]

  /// ada consents from 1000 on, cy from 5000 on, eve always and without an accelerometer, bob not at all.
  /// Each line's verdict with the default settings stands behind it.
  init() throws {
    folder = try TemporaryFolder()
    _ = try folder.file(
      "customer/1.json",
      """
      {"customerName":"Ada","email":"ada@x","serialNumber":"S1","lastUpdateDate":500,"shareWithResearchAsOfDate":1000}
      {"email":"bob@x","serialNumber":"S2","lastUpdateDate":500}
      {"email":"cy@x","serialnumber":"S3","lastUpdateDate":500,"shareWithResearchAsOfDate":5000}

      """)  // consenting, not_consenting, consenting
    _ = try folder.file(
      "customer/2.ndjson",
      """
      {"email":"ada@x","serialNumber":"S2","lastUpdateDate":100}
      {"email":"eve@x","serialNumber":"S4","shareWithResearchAsOfDate":1}
      no JSON
      """)  // stale, consenting, malformed
    _ = try folder.file(
      "accelerometer/1.jsonl",
      """
      {"user":"ada@x","timestamp":1000,"x":1.0,"y":-1.50,"z":2e3}
      {"user":"ada@x","timestamp":1000,"x":1.0,"y":-1.50,"z":2e3}
      {"user":"ada@x","timestamp":999,"x":1,"y":1,"z":1}
      {"user":"bob@x","timestamp":2000,"x":1,"y":1,"z":1}
      {"user":"cy@x","timeStamp":5000,"x":0,"y":0,"z":1}
      {"user":"cy@x","timeStamp":4999,"x":0,"y":0,"z":1}
      {"user":"dan@x","timestamp":2000,"x":1,"y":1,"z":1}
      {"user":"ada@x"}

      """)
    // trusted, duplicate, before_consent, no_consent, trusted, before_consent, unknown_customer, malformed
    _ = try folder.file(
      "step-trainer/1.json",
      """
      {"sensorReadingTime":1100,"serialNumber":"S1","distanceFromObject":7}
      {"sensorReadingTime":1101,"serialNumber":"S1","distanceFromObject":8}
      {"sensorReadingTime":2000,"serialNumber":"S2","distanceFromObject":9}
      {"sensorReadingTime":5050,"serialNumber":"S3","distanceFromObject":10}
      {"sensorReadingTime":4999,"serialNumber":"S3","distanceFromObject":11}
      {"sensorReadingTime":2000,"serialNumber":"S9","distanceFromObject":12}
      {"sensorReadingTime":2000,"serialNumber":"S4","distanceFromObject":13}

      """)
    // trusted, trusted, no_consent, trusted, before_consent, unknown_device, no_accelerometer
    _ = try folder.file("step-trainer/readme.txt", "not a record")
  }

  /// A replay's arguments with another path for one of the options.
  func arguments(replacing option: String, with path: String) -> [String] {
    var arguments = arguments
    if let place = arguments.firstIndex(of: option) { arguments[place + 1] = path }
    return arguments
  }

  /// The rows of a table of the output.
  func rows(_ table: String) throws -> [String] { try plainRows("\(output)/\(table)") }
}

/// A table's rows as any tool would read them: the folder's *.ndjson files in name order, line by line.
func plainRows(_ directory: String) throws -> [String] {
  try segmentNames(directory).flatMap { name in
    let text = try String(contentsOfFile: "\(directory)/\(name)", encoding: .utf8)
    return text.isEmpty ? [] : text.split(separator: "\n").map(String.init)
  }
}

/// A table's segments, in order.
func segmentNames(_ directory: String) throws -> [String] {
  try FileManager.default.contentsOfDirectory(atPath: directory)
    .filter { $0.hasSuffix(".ndjson") && $0 != "current.ndjson" }.sorted()
}
