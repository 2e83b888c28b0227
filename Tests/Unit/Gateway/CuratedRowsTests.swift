import Foundation
import Records
import SegmentLog
import Storage
import Testing

@testable import Gateway

@Suite struct CuratedRowsTests {
  private static func row(_ number: Int, _ serial: String, _ user: String) -> String {
    #"{"sensorReadingTime":\#(number),"serialNumber":"\#(serial)","distanceFromObject":200,"user":"\#(user)","timestamp":\#(number + 3),"x":1.5,"y":-2,"z":0}"#
  }

  /// A data folder with these rows.
  private func table(_ rows: [String]) throws -> ScratchFolder {
    let folder = try ScratchFolder()
    let writer = try SegmentWriter(
      fileSystem: LocalFileSystem(),
      directory: Table.machineLearningCurated.directory(in: folder.path))
    for row in rows {
      try Array((row + "\n").utf8).withUnsafeBytes { try writer.append($0, rowCount: 1) }
    }
    try writer.close()
    return folder
  }

  @Test func `The last ten rows come, newest first, and nobody's name`() throws {
    let rows = (0..<25).map { Self.row($0, "serial-\($0 % 3)", "ada\($0 % 3)@example.org") }
    let folder = try table(rows)
    let curated = CuratedRows(fileSystem: LocalFileSystem(), dataDirectory: folder.path).last(
      from: 0, before: 25)
    #expect(curated.map(\.sensorReadingTime) == (15..<25).reversed().map(Int64.init))
    let newest = try #require(curated.first)
    #expect(newest.timestamp == 27)
    #expect([newest.x, newest.y, newest.z] == [1.5, -2, 0])
    var status = GatewayStatus()
    status.curated = curated
    let json = String(decoding: status.json, as: UTF8.self)
    #expect(!json.contains("serial-"))
    #expect(!json.contains("example"))
  }

  @Test func `A person has one name in a process, and another one in the next`() throws {
    let line = Array(Self.row(1, "S1", "ada@example.org").utf8)
    let other = Array(Self.row(1, "S1", "bob@example.org").utf8)
    let runs = (0..<8).map { _ in CuratedRows(fileSystem: LocalFileSystem(), dataDirectory: "/nowhere") }
    for run in runs {
      #expect(run.hidden(line)?.customer == run.hidden(line)?.customer)
      #expect(run.hidden(line)?.device == run.hidden(other)?.device)
      #expect(run.hidden(line)?.customer.count == 4)
    }
    // By chance two of eight names are equal once in two thousand times; all of them never.
    #expect(Set(runs.compactMap { $0.hidden(line)?.customer }).count > 1)
  }

  @Test func `Rows before the first that may be shown are not`() throws {
    let folder = try table((0..<25).map { Self.row($0, "S1", "ada@example.org") })
    let rows = CuratedRows(fileSystem: LocalFileSystem(), dataDirectory: folder.path)
    #expect(rows.last(from: 22, before: 25).map(\.sensorReadingTime) == [24, 23, 22])
    #expect(rows.last(from: 25, before: 25).isEmpty)
    #expect(rows.last(from: 26, before: 25).isEmpty)
  }

  @Test func `Without a table, and of lines that are no rows, there is nothing`() {
    let rows = CuratedRows(fileSystem: LocalFileSystem(), dataDirectory: "/nowhere")
    #expect(rows.last(from: 0, before: 5).isEmpty)
    #expect(rows.hidden(Array("{}".utf8)) == nil)
  }
}
