import Journal
import Storage
import TestSupport
import Testing

@testable import Playback

@Suite struct CheckpointVerifierTests {
  private let fixture: RecoveryFixture
  private let recovered: Recovered

  init() throws {
    fixture = try RecoveryFixture()
    recovered = try #require(try fixture.start())
  }

  private func verify() throws -> CheckpointReport {
    try verifyCheckpoints(fileSystem: fixture.disk, dataDirectory: "data")
  }

  /// Makes three checkpoints, of which the first is removed, and gives its place and bytes.
  private func firstOfThree() throws -> (path: String, bytes: [UInt8]) {
    try fixture.take(recovered, RecoveryFixture.messages(0..<10))
    try fixture.checkpoint(recovered)
    let path = fixture.store.path(recovered.player.position)
    let bytes = try fixture.disk.readFile(path)
    for first in [10, 20] {
      try fixture.take(recovered, RecoveryFixture.messages(first..<first + 10))
      try fixture.checkpoint(recovered)
    }
    return (path, bytes)
  }

  @Test func `Checkpoints whose journal is there have nothing to tell`() throws {
    _ = try firstOfThree()
    let report = try verify()
    #expect(report.checkpoints == 2)
    #expect(report.problems + report.notes == [])
  }

  @Test func `A checkpoint that a power loss brought back is a note where a newer good one is there`() throws
  {
    let (path, bytes) = try firstOfThree()
    try fixture.disk.openForAppending(path).append(bytes)
    let report = try verify()
    let start = try journalStart(fileSystem: fixture.disk, directory: "data/journal")
    #expect(report.problems == [])
    #expect(
      report.notes == [
        "\(path): the journal begins only at position \(start); a newer checkpoint is there, so nobody needs it"
      ])
  }

  @Test func `A checkpoint without its journal is a problem where no newer one is good`() throws {
    let (path, bytes) = try firstOfThree()
    try fixture.disk.openForAppending(path).append(bytes)
    for position in try fixture.store.positions().dropFirst() {
      try fixture.disk.openForAppending(fixture.store.path(position)).append([0])
    }
    let report = try verify()
    #expect(report.problems.count == 3)
    #expect(report.problems.last?.hasPrefix("\(path): the journal begins only at") == true)
    #expect(report.notes == [])
  }
}
