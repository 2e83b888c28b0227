// The last rows of machine_learning_curated for people to look at, without whom they belong to.
//
// Invariants:
// - Nobody who has withdrawn is in them: with a withdrawal all rows before it are gone, whosesoever they are.
// - The names for customer and device are drawn with a key that never leaves the process, and too short to search for:
//   nobody can get back to an email or a serial number, and two runs give other names.

import FoundationEssentials
import Records
import SegmentLog
import Storage

struct CuratedRows {
  static let count = 10

  private let reader: TableReader
  // `Hasher` has a key of its own too, but for where an environment variable takes it away.
  private let key = UInt64.random(in: .min ... .max)

  init(fileSystem: any FileSystem, dataDirectory: String) {
    let directory = Table.machineLearningCurated.directory(in: dataDirectory)
    reader = TableReader(fileSystem: fileSystem, directory: directory)
  }

  /// The rows from `start` on and before `end`, newest first; none where they cannot be read.
  func last(from start: Int, before end: Int) -> [GatewayStatus.CuratedRow] {
    guard start < end else { return [] }
    let tail = reader.rows(from: max(start, end - Self.count))
    var rows: [GatewayStatus.CuratedRow] = []
    while rows.count < Self.count, let chunk = (try? tail.next()) ?? nil {
      let lines = chunk.bytes.split(separator: UInt8(ascii: "\n"), maxSplits: Self.count)
      for line in lines.prefix(Self.count - rows.count) {
        if let row = hidden(Array(line)) { rows.append(row) }
      }
    }
    return rows.reversed()
  }

  /// The row without its identities; nil where it is none.
  func hidden(_ line: [UInt8]) -> GatewayStatus.CuratedRow? {
    guard let row = try? JSONDecoder().decode(Row.self, from: Data(line)) else { return nil }
    return GatewayStatus.CuratedRow(
      sensorReadingTime: row.sensorReadingTime, distanceFromObject: row.distanceFromObject,
      device: name(of: row.serialNumber), customer: name(of: row.user), timestamp: row.timestamp, x: row.x,
      y: row.y, z: row.z)
  }

  /// Four characters.
  private func name(of identity: String) -> String {
    var hasher = Hasher()
    hasher.combine(key)
    hasher.combine(identity)
    let digits = String(UInt16(truncatingIfNeeded: hasher.finalize()), radix: 16)
    return String(repeating: "0", count: 4 - digits.count) + digits
  }

  private struct Row: Decodable {
    var sensorReadingTime: Int64
    var serialNumber: String
    var distanceFromObject: Int64
    var user: String
    var timestamp: Int64
    var x: Double
    var y: Double
    var z: Double
  }
}
