// What older versions left behind: each data folder under Tests/Golden was made by the program of its time
// (Tests/Golden/make.py), and is never changed. Every version starts on all of them and gives the same tables.

import Foundation
import TestSupport
import Testing

/// A data folder of an older version, and what that version made of it.
private struct GoldenFolder: CustomStringConvertible {
  static let all: [GoldenFolder] = {
    let root = URL(filePath: #filePath).appending(path: "../../Golden").standardized.path
    let names = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
    return names.sorted().map { GoldenFolder(path: "\(root)/\($0)") }.filter {
      FileManager.default.fileExists(atPath: $0.path + "/data")
    }
  }()

  let path: String
  var description: String { URL(filePath: path).lastPathComponent }

  func status() throws -> StatusJSON {
    let data = try Data(contentsOf: URL(filePath: "\(path)/status.json"))
    return StatusJSON(object: try JSONSerialization.jsonObject(with: data))
  }
}

/// What a start may have lost, and makes again.
private enum Loss: String, CaseIterable {
  case nothing
  case newerCheckpoint = "the newer checkpoint"
  case checkpoints
  case tablesToo = "checkpoints and tables"

  func strike(_ data: String) throws {
    let files = FileManager.default
    let newer = try files.contentsOfDirectory(atPath: "\(data)/checkpoint").max() ?? ""
    let zones = ["landing", "trusted", "curated", "quarantine", "audit"]
    let lost =
      switch self {
      case .nothing: [String]()
      case .newerCheckpoint: ["checkpoint/\(newer)"]
      case .checkpoints: ["checkpoint"]
      case .tablesToo: ["checkpoint"] + zones
      }
    for name in lost { try files.removeItem(atPath: "\(data)/\(name)") }
  }
}

extension RunTests {
  @Suite struct `Data of older versions` {
    @Test func `There is some`() { #expect(!GoldenFolder.all.isEmpty) }

    @Test(arguments: GoldenFolder.all, Loss.allCases)
    fileprivate func `It starts, and gives the same tables and sums`(golden: GoldenFolder, loss: Loss)
      async throws
    {
      let folder = try TemporaryFolder()
      let data = "\(folder.path)/data"
      try FileManager.default.copyItem(atPath: "\(golden.path)/data", toPath: data)
      try loss.strike(data)
      let gateway = RunningGateway(
        try StepgateProcess(
          ["run", "--config", "\(golden.path)/settings.yaml"],
          environment: [
            "STEPGATE_STORAGE_DIRECTORY": data, "STEPGATE_MQTT_PORT": "\(try freePort())",
            "STEPGATE_HTTP_LISTEN": "127.0.0.1:0",
          ]))
      let http = try await StatusPort(gateway)
      try await gateway.eventually("the journal is played") {
        try http.status().text("phase") == "running"
      }
      let status = try http.status()
      try await gateway.stop()

      try expectSums(status, golden.status())
      #expect(try tableFiles(data) == tableFiles("\(golden.path)/tables"))
      let complaints = try gateway.log.filter { $0.contains(/^\S+ (warning|error|critical)/) }
      #expect(complaints.allSatisfy { $0.contains("cannot connect to the broker") }, "\(complaints)")
      let verified = try await stepgate(["verify", "--data", data])
      #expect(verified.status == 0, "\(verified.output)")
      // Settings of this version may stand behind what was there.
      let journal = try Data(contentsOf: URL(filePath: "\(golden.path)/data/\(Self.journal)"))
      #expect(try Data(contentsOf: URL(filePath: "\(data)/\(Self.journal)")).starts(with: journal))
    }

    private static let journal = "journal/00000000000000000000.journal"

    private func expectSums(_ status: StatusJSON, _ golden: StatusJSON) throws {
      for kind in try #require(golden["pipeline.records"] as? [String: Any]).keys {
        let verdicts = try #require(golden["pipeline.records.\(kind).verdicts"] as? [String: Int])
        let now = try #require(status["pipeline.records.\(kind).verdicts"] as? [String: Int])
        #expect(now.filter { $0.value > 0 } == verdicts.filter { $0.value > 0 }, "\(kind)")
        let received = "pipeline.records.\(kind).received"
        #expect(status.int(received) == golden.int(received))
      }
      let tables = try #require(golden["pipeline.tables"] as? [String: Int])
      let now = try #require(status["pipeline.tables"] as? [String: Int])
      #expect(now.filter { tables[$0.key] != nil || $0.value > 0 } == tables)
      for sum in ["held", "customers"]
        + (golden["pipeline.join"] as? [String: Int] ?? [:]).keys.map({ "join.\($0)" })
      {
        #expect(status.int("pipeline.\(sum)") == golden.int("pipeline.\(sum)"), "\(sum)")
      }
    }

    /// The segments below a folder, by path.
    private func tableFiles(_ folder: String) throws -> [String: Data] {
      let paths = try FileManager.default.subpathsOfDirectory(atPath: folder).filter {
        $0.hasSuffix(".ndjson") && !$0.hasSuffix("current.ndjson")
      }
      return Dictionary(
        uniqueKeysWithValues: try paths.map { ($0, try Data(contentsOf: URL(filePath: "\(folder)/\($0)"))) })
    }
  }
}
