// A reader that follows a table all the while, whatever happens to the gateway.

import Foundation
import Testing

/// A `stepgate tail --follow` from a table's first row on.
final class TableFollower {
  private let table: String
  private let directory: String
  private let process: StepgateProcess

  /// - Parameter table: with its zone, e.g. `trusted/customer_trusted`; it need not be there yet.
  init(_ table: String, of fixture: GatewayFixture) throws {
    self.table = table
    directory = "\(fixture.data)/\(table)"
    let name = try #require(table.split(separator: "/").last.map(String.init))
    process = try StepgateProcess(["tail", name, "--follow", "--from-offset", "0", "--data", fixture.data])
  }

  /// Waits until it has printed the last row, ends it, and expects that it has printed the table: the bytes that
  /// are there now, each once. Nothing may be written any more.
  func expectTable(sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let bytes = try segmentNames(directory).reduce(into: Data()) { bytes, name in
      bytes += try Data(contentsOf: URL(filePath: "\(directory)/\(name)"))
    }
    #expect(!bytes.isEmpty, "\(table): a test of nothing", sourceLocation: sourceLocation)
    // It ends by itself only where it has failed.
    try await eventually("the follower of \(table) prints the last row") {
      try !process.isRunning || process.outputBytes >= bytes.count
    }
    process.send(SIGTERM)
    let status = try await process.exitStatus()
    let said = try process.error
    #expect(status == 0, "\(table): \(said)", sourceLocation: sourceLocation)
    let isSame = try process.outputData == bytes
    #expect(isSame, "\(table) is not what its reader saw", sourceLocation: sourceLocation)
  }
}
