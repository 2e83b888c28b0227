// Measures parts of the engine from inside, for Benchmarks/consent_index.py and counts.py. Each command prints one line
// of JSON.
//
//     StepgateBench consent-index CUSTOMERS    memory and look-ups of the consent index
//     StepgateBench allocations                heap allocations a record, on both ways into the engine

import Foundation
import TestSupport

@main struct StepgateBench {
  static func main() throws {
    let arguments = CommandLine.arguments.dropFirst()
    switch (arguments.first, arguments.dropFirst().first.flatMap { Int($0) }) {
    case ("consent-index", let customers?): try printJSON(ConsentIndexLoad(customers: customers).measure())
    case ("allocations", nil): try printJSON(allocations())
    default:
      FileHandle.standardError.write(Data("usage: see the first lines of StepgateBench.swift\n".utf8))
      exit(64)
    }
  }

  private static func allocations() throws -> [String: Double] {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let load = SteadyLoad(folder: folder)
    return [
      "files": try load.allocationsARecordFromFiles(), "messages": try load.allocationsARecordFromMessages(),
    ]
  }

  private static func printJSON(_ figures: [String: Double]) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    print(String(decoding: try encoder.encode(figures), as: UTF8.self))
  }
}
