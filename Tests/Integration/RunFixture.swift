// A gateway of a test's own: its data folder, its settings, and `stepgate run` on them as often as the test
// wants.
//
// Invariants: nothing is shared between tests but the machine; a run ends with its value at the latest; what
// a test waits for is something the gateway says or a file it wrote, never a length of time.

import Foundation
import Mosquitto
import Simulator
import TestSupport
import Testing

/// All tests of the daemon, one after the other: each has a broker, a gateway and often a simulator to run.
@Suite(.serialized) struct RunTests {}

/// One gateway's folder and settings, over all its runs.
final class GatewayFixture {
  let folder: TemporaryFolder
  /// Kept running for as long as the fixture is there.
  let broker: PrivateBroker?
  /// Holds the data folder; nil where that is beside everything else.
  let disk: SmallDisk?
  /// Keys as in the settings file.
  var settings: [String: String]
  var data: String { "\(disk?.path ?? folder.path)/data" }

  /// - Parameter broker: nil for tests that need none; then the port is one that nobody listens on.
  init(_ broker: PrivateBroker? = nil, disk: SmallDisk? = nil, settings: [String: String] = [:]) throws {
    folder = try TemporaryFolder()
    self.broker = broker
    self.disk = disk
    self.settings = ["mqtt.port": "\(try broker?.port ?? freePort())", "http.enabled": "false"]
    self.settings["storage.directory"] = data
    self.settings.merge(settings) { $1 }
  }

  private var environment: [String: String] {
    let pairs = settings.map { key, value in
      ("STEPGATE_" + key.uppercased().replacingOccurrences(of: ".", with: "_"), value)
    }
    return Dictionary(uniqueKeysWithValues: pairs)
  }

  /// Starts `stepgate run` with these settings.
  func start(_ arguments: String...) throws -> RunningGateway {
    RunningGateway(try StepgateProcess(["run"] + arguments, environment: environment))
  }

  /// Starts it and waits until it takes messages.
  func startAndConnect(_ arguments: String...) async throws -> RunningGateway {
    let gateway = RunningGateway(try StepgateProcess(["run"] + arguments, environment: environment))
    try await gateway.says("; subscribed")
    return gateway
  }

  /// Runs a gateway that cannot start to its end.
  func failToStart() async throws -> Outcome { try await stepgate(["run"], environment: environment) }

  /// The rows of a table; none if it is not there yet.
  func rows(_ table: String) throws -> [String] {
    let directory = "\(data)/\(table)"
    return FileManager.default.fileExists(atPath: directory) ? try plainRows(directory) : []
  }

  /// The rows of the quarantine.
  func rejected() throws -> [RejectedRow] { try rows("quarantine/rejected").map(RejectedRow.init) }

  /// The five tables of good records, by name.
  func tables() throws -> [String: [String]] { try goodTables { try rows($0) } }

  /// The length of a table's segments; 0 if it is not there yet.
  func bytes(of table: String) throws -> Int {
    let directory = "\(data)/\(table)"
    guard FileManager.default.fileExists(atPath: directory) else { return 0 }
    return try segmentNames(directory).reduce(0) { sum, name in
      let attributes = try FileManager.default.attributesOfItem(atPath: "\(directory)/\(name)")
      return sum + (attributes[.size] as? Int ?? 0)
    }
  }

  /// The positions in the names of the journal's segments, or of the checkpoints; ascending.
  func positions(in folder: String) throws -> [Int] {
    try FileManager.default.contentsOfDirectory(atPath: "\(data)/\(folder)")
      .compactMap { $0.split(separator: ".").first.flatMap { Int($0) } }.sorted()
  }

  /// Waits until all that was published before this call is in the tables. The broker keeps the order, so it
  /// is when a record that is published now has got its row.
  func catchesUp(with broker: PrivateBroker, _ gateway: RunningGateway) async throws {
    let topic = "stedi/accelerometer/marker-\(UUID().uuidString)"
    try publish([OutgoingMessage(topic: topic, payload: Array("marker".utf8))], to: broker)
    try await gateway.eventually("the gateway catches up") {
      try rows("quarantine/rejected").contains { $0.contains(topic) }
    }
  }

  /// The files under the data folder that hold a text, but for those of the journal.
  func filesHolding(_ text: String) throws -> [String] {
    let wanted = Data(text.utf8)
    let files = try FileManager.default.subpathsOfDirectory(atPath: data)
    return files.filter { path in
      let contents = try? Data(contentsOf: URL(filePath: "\(data)/\(path)"))
      return !path.hasPrefix("journal/") && contents?.range(of: wanted) != nil
    }
  }
}

/// A `stepgate run` that a test talks to.
final class RunningGateway {
  let process: StepgateProcess

  init(_ process: StepgateProcess) { self.process = process }

  /// What it has logged.
  var log: [String] {
    get throws { try process.error.split(separator: "\n").map(String.init) }
  }

  /// How much of the journal it played when it started.
  var bytesPlayed: Int {
    get throws {
      let lines = try log.compactMap { $0.firstMatch(of: /playing the journal, (\d+) bytes/) }
      return lines.reduce(0) { $0 + (Int($1.1) ?? 0) }
    }
  }

  /// Waits for a condition, and says what the gateway said if it does not come about.
  func eventually(
    _ what: String, within limit: Duration = .seconds(60), _ condition: () throws -> Bool
  ) async throws {
    let deadline = ContinuousClock.now + limit
    while try !condition() {
      let said = try log.suffix(8).joined(separator: "\n")
      try #require(ContinuousClock.now < deadline, "\(what), within \(limit); the gateway said:\n\(said)")
      try await Task.sleep(for: .milliseconds(10))
    }
  }

  /// Waits until it has logged a line with this text, `times` times.
  func says(_ text: String, times: Int = 1) async throws {
    try await eventually("\"\(text)\" in the log") { try log.count { $0.contains(text) } >= times }
  }

  /// The records that it has received, asked for with SIGUSR1.
  func received() async throws -> Int {
    let before = try loggedCounts().count
    process.send(SIGUSR1)
    try await eventually("the counts are logged") { try loggedCounts().count > before }
    return try #require(try loggedCounts().last)
  }

  private func loggedCounts() throws -> [Int] {
    try log.compactMap { $0.firstMatch(of: /received (\d+) records/).flatMap { Int($0.1) } }
  }

  /// Waits until it has received so many records.
  func receives(_ count: Int) async throws {
    let deadline = ContinuousClock.now + .seconds(40)
    while true {
      let received = try await received()
      if received >= count { return }
      try #require(ContinuousClock.now < deadline, "\(received) of \(count) records received")
      try await Task.sleep(for: .milliseconds(50))
    }
  }

  /// Stops it, and returns what it printed.
  @discardableResult
  func stop(_ signal: Int32 = SIGTERM) async throws -> Outcome {
    process.send(signal)
    let outcome = Outcome(
      status: try await process.exitStatus(), output: try process.output, error: try process.error)
    #expect(outcome.status == 0, "\(outcome.error)")
    return outcome
  }

  /// Ends it as a crash would.
  func crash() async throws {
    process.send(SIGKILL)
    #expect(try await process.exitStatus() == -SIGKILL)
  }
}

/// A row of the quarantine.
struct RejectedRow: Decodable, Hashable {
  var receivedAt: Int
  var topic: String
  var reason: String
  var detail: String
  var payload: String?
  var payloadBase64: String?

  init(_ line: String) throws { self = try JSONDecoder().decode(Self.self, from: Data(line.utf8)) }
}

/// The rows of a quarantine without what a replay of the same records has otherwise by nature: the time, and the
/// topic, which in a replay is the file. How often there is each.
func refusals(_ rows: [RejectedRow]) -> [RejectedRow: Int] {
  let plain = rows.map { row in
    var row = row
    row.receivedAt = 0
    row.topic = ""
    return row
  }
  return Dictionary(grouping: plain) { $0 }.mapValues(\.count)
}

/// The object that `--summary json` prints.
struct RunSummary: Decodable {
  var records: [String: [String: Int]]
  var tables: [String: Int]

  init(_ outcome: Outcome) throws {
    self = try JSONDecoder().decode(Self.self, from: Data(outcome.output.utf8))
  }

  /// All records, whatever became of them.
  var total: Int { records.values.reduce(0) { $0 + $1.values.reduce(0, +) } }

  /// The verdicts once no reading waits any more: a replay ends with `no_accelerometer` what a gateway holds.
  var settled: [String: [String: Int]] {
    occurring.mapValues { verdicts in
      var verdicts = verdicts
      if let held = verdicts.removeValue(forKey: "held") {
        verdicts["no_accelerometer", default: 0] += held
      }
      return verdicts
    }
  }

  /// Without the verdicts that did not occur.
  var occurring: [String: [String: Int]] {
    records.mapValues { $0.filter { $0.value > 0 } }.filter { !$0.value.isEmpty }
  }
}

/// The tables that only good records get into, with their zones.
func goodTables(_ rows: (String) throws -> [String]) rethrows -> [String: [String]] {
  let names = [
    "trusted/customer_trusted", "trusted/accelerometer_trusted", "trusted/step_trainer_trusted",
    "curated/customers_curated", "curated/machine_learning_curated",
  ]
  return Dictionary(uniqueKeysWithValues: try names.map { ($0, try rows($0)) })
}

/// Says of each table where it does not hold the same rows, as often, in whatever order.
func expectSameRows(
  _ tables: [String: [String]], _ expected: [String: [String]],
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(tables.keys.sorted() == expected.keys.sorted(), sourceLocation: sourceLocation)
  for (name, rows) in tables {
    let wanted = expected[name, default: []]
    // Not the arrays themselves: a difference of thousands of rows says less than its first ones.
    let surplus = difference(rows, wanted)
    let missing = difference(wanted, rows)
    #expect(surplus.isEmpty, "\(name): \(surplus.count) rows too many", sourceLocation: sourceLocation)
    #expect(missing.isEmpty, "\(name): \(missing.count) rows missing", sourceLocation: sourceLocation)
  }
}

/// What is left of the rows when the others are taken away, one for one; a few of them.
private func difference(_ rows: [String], _ others: [String]) -> ArraySlice<String> {
  var counts = Dictionary(grouping: others) { $0 }.mapValues(\.count)
  return rows.filter { row in
    counts[row, default: 0] -= 1
    return counts[row, default: 0] < 0
  }.prefix(3)
}

/// Publishes messages at QoS 1 and waits for the broker's acknowledgements.
@discardableResult
func publish(_ messages: some Sequence<OutgoingMessage>, to broker: PrivateBroker) throws -> PublishProgress {
  let id = "test-\(UUID().uuidString)"
  let publisher = try Publisher(ConnectOptions(host: broker.host, port: broker.port, clientID: id))
  return try publisher.publish(messages)
}

/// Publishes texts to a topic.
func publish(_ topic: String, _ texts: String..., to broker: PrivateBroker) throws {
  try publish(texts.map { OutgoingMessage(topic: topic, payload: Array($0.utf8)) }, to: broker)
}

/// Records as they are published.
enum Sent {
  static func customer(_ email: String, _ serialNumber: String, updated: Int, consent: Int? = nil) -> String {
    let date = consent.map { #","shareWithResearchAsOfDate":\#($0)"# } ?? ""
    return #"{"email":"\#(email)","serialNumber":"\#(serialNumber)","lastUpdateDate":\#(updated)\#(date)}"#
  }

  static func accelerometer(_ user: String, _ timeMs: Int) -> String {
    #"{"user":"\#(user)","timestamp":\#(timeMs),"x":1,"y":2,"z":3}"#
  }

  static func stepTrainer(_ serialNumber: String, _ timeMs: Int, distance: Int = 200) -> String {
    #"{"sensorReadingTime":\#(timeMs),"serialNumber":"\#(serialNumber)","distanceFromObject":\#(distance)}"#
  }
}
