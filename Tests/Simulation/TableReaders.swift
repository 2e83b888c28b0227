// Readers that follow all tables while the gateway works, dies and recovers.
//
// Invariant: a reader goes on when the gateway dies; when the machine dies, the next one goes on at its offset, once
// the gateway has recovered.

import Records
import SegmentLog
import TestSupport

/// One reader for each table.
struct TableReaders {
  private struct Reader {
    let table: Table
    var tail: TableTail?
    var nextOffset = 0
    var bytes: [UInt8] = []
  }

  private let disk: SimulatedDisk
  private let directory: String
  private var readers = Table.allCases.map { Reader(table: $0) }
  /// How often a reader went on where one on a dead machine had been.
  private(set) var continued = 0

  init(of directory: String, on disk: SimulatedDisk) {
    self.directory = directory
    self.disk = disk
  }

  mutating func machineDied() {
    for place in readers.indices { readers[place].tail = nil }
  }

  /// The gateway has recovered: tables are what they were, or more.
  mutating func start() {
    for place in readers.indices where readers[place].tail == nil {
      if readers[place].nextOffset > 0 { continued += 1 }
      readers[place].tail = TableTail(
        fileSystem: SimulatedProcess(on: disk, suffersFaults: false),
        directory: readers[place].table.directory(in: directory), from: readers[place].nextOffset)
    }
  }

  /// One of the readers looks what there is.
  mutating func lookSomewhere(_ random: inout SeededRandom) throws(SimulationFailure) {
    try look(Int.random(in: readers.indices, using: &random))
  }

  /// All of them read to the end.
  mutating func readToEnd() throws(SimulationFailure) {
    for place in readers.indices { try look(place) }
  }

  private mutating func look(_ place: Int) throws(SimulationFailure) {
    guard let tail = readers[place].tail else { return }
    let table = readers[place].table.name
    do throws(SegmentLogError) {
      while let chunk = try tail.next() {
        guard chunk.firstOffset == readers[place].nextOffset else {
          throw .missingRows(directory: table, from: readers[place].nextOffset, to: chunk.firstOffset)
        }
        readers[place].nextOffset += chunk.rowCount
        readers[place].bytes += Array(chunk.bytes)
      }
    } catch { throw SimulationFailure(.readers, "\(table): \(error)") }
  }

  /// What the reader of a table has seen.
  func seen(_ table: Table) -> [UInt8] { readers.first { $0.table == table }?.bytes ?? [] }
}
