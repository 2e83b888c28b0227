// Landing files of a few hundred made-up customers, with all that makes joining them hard: serial numbers
// that several claim, no consent, consent from a date on, older versions, repeats, strangers.

import Foundation
import Testing

/// The same files for the same seed.
struct MadeUpLanding {
  let folder: TemporaryFolder
  /// The records in all files.
  private(set) var recordCount = 0
  private var random: UInt64
  private let startMs = 1_700_000_000_000
  private let lengthMs = 20 * 60_000
  private let serialNumbers: Int
  private let customers: Int
  // What each customer claims at the end, and where accelerometer readings are.
  private var claims: [String] = []
  private var accelerometerReadings: [(customer: Int, timeMs: Int)] = []

  /// `--customer PATH` and so on, as `replay` and `simulate` take them.
  var arguments: [String] {
    ["customer", "accelerometer", "step-trainer"].flatMap { ["--\($0)", "\(folder.path)/\($0)"] }
  }

  /// Settings with which nothing is evicted before the last record came, in whatever order: a replay evicts
  /// nothing either.
  static let settings = ["join.retention": "1d", "join.allowed_lateness": "1d"]

  /// - Parameter malformed: whether one in a hundred readings is broken.
  init(customers: Int = 300, readings: Int = 2_000, seed: UInt64 = 1, malformed: Bool = true) throws {
    folder = try TemporaryFolder()
    random = seed
    self.customers = customers
    serialNumbers = customers / 5
    try write("customer/1.json", customerLines())
    try write("accelerometer/1.json", accelerometerLines(readings, malformed))
    try write("accelerometer/2.ndjson", accelerometerLines(readings / 2, malformed))
    try write("step-trainer/1.json", stepTrainerLines(readings, malformed))
  }

  /// What `stepgate replay` makes of them.
  func replayed() async throws -> Replayed {
    let output = "\(folder.path)/replayed"
    let outcome = try await stepgate(["replay"] + arguments + ["--output", output, "--summary", "json"])
    try #require(outcome.status == 0, "\(outcome.error)")
    return Replayed(
      tables: try goodTables { try plainRows("\(output)/\($0)") },
      rejected: try plainRows("\(output)/quarantine/rejected").map(RejectedRow.init),
      summary: try RunSummary(outcome))
  }

  // MARK: Making them up

  private mutating func write(_ name: String, _ lines: [String]) throws {
    recordCount += lines.count
    _ = try folder.file(name, lines.joined(separator: "\n") + "\n")
  }

  // Of each six customers one does not consent, one consents in the middle of the readings' time, one has
  // an older version with another serial number, and one a version that comes too late to count.
  private mutating func customerLines() -> [String] {
    var lines: [String] = []
    for customer in 0..<customers {
      let email = "c\(customer)@test.com"
      let serialNumber = "S\(chance(serialNumbers))"
      claims.append(serialNumber)
      switch customer % 6 {
      case 0: lines.append(Sent.customer(email, serialNumber, updated: 10))
      case 1:
        lines.append(Sent.customer(email, serialNumber, updated: 10, consent: startMs + lengthMs / 2))
      case 2:
        lines.append(Sent.customer(email, "S\(chance(serialNumbers))", updated: 5, consent: 1))
        lines.append(Sent.customer(email, serialNumber, updated: 10, consent: 1))
      case 3:
        lines.append(Sent.customer(email, serialNumber, updated: 10, consent: 1))
        lines.append(Sent.customer(email, "S0", updated: 9))
      default: lines.append(Sent.customer(email, serialNumber, updated: 10, consent: startMs))
      }
    }
    return lines
  }

  private mutating func accelerometerLines(_ count: Int, _ malformed: Bool) -> [String] {
    var lines: [String] = []
    for number in 0..<count {
      let timeMs = startMs + chance(lengthMs)
      // One in ten customers never has an accelerometer, one in fifty readings is a stranger's.
      let isStranger = chance(50) == 0
      let customer = isStranger ? customers + 7 : chance(customers) / 10 * 10 + chance(9)
      if !isStranger { accelerometerReadings.append((customer, timeMs)) }
      lines.append(Sent.accelerometer("c\(customer)@test.com", timeMs))
      if number % 40 == 39 { lines.append(lines[chance(lines.count)]) }
      if malformed && number % 100 == 99 { lines.append(#"{"user":"c1@test.com","timestamp":"\#(number)"}"#) }
    }
    return lines
  }

  // Half of them around a reading of a customer who claims the serial number: within the tolerance, or
  // just outside it.
  private mutating func stepTrainerLines(_ count: Int, _ malformed: Bool) -> [String] {
    var lines: [String] = []
    for number in 0..<count {
      let near = accelerometerReadings[chance(accelerometerReadings.count)]
      let timeMs = near.timeMs + chance(300) - 150
      let any = "S\(chance(50) == 0 ? serialNumbers + 7 : chance(serialNumbers))"
      let serialNumber = chance(2) == 0 ? claims[near.customer] : any
      lines.append(Sent.stepTrainer(serialNumber, timeMs, distance: 100 + chance(200)))
      if number % 40 == 39 { lines.append(lines[chance(lines.count)]) }
      if malformed && number % 100 == 99 { lines.append(#"{"sensorReadingTime":\#(timeMs),"#) }
    }
    return lines
  }

  // Knuth's linear congruential generator (MMIX); its high bits are good enough for test data.
  private mutating func chance(_ bound: Int) -> Int {
    random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(random >> 33) % bound
  }
}

/// What a replay makes of landing files, and so what a gateway must make of them.
struct Replayed {
  var tables: [String: [String]]
  var rejected: [RejectedRow]
  var summary: RunSummary
}

extension GatewayFixture {
  /// Expects that the gateway has made of the same records what a replay makes of them: the rows, what is refused,
  /// every record's verdict, and files that are in order.
  ///
  /// - Parameter outcome: of a gateway that was started with `--summary json` and has stopped.
  func expectEverything(of expected: Replayed, in outcome: Outcome) async throws {
    expectSameRows(try tables(), expected.tables)
    let isSame = try refusals(rejected()) == refusals(expected.rejected)
    #expect(isSame, "the quarantine differs")
    #expect(try RunSummary(outcome).settled == expected.summary.settled)
    let verified = try await stepgate(["verify", "--data", data])
    #expect(verified.status == 0, "\(verified.output)")
  }
}
