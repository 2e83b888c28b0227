// Tables as the gateway writes them, whole and cut off.

import SegmentLog
import Storage
import TestSupport

extension SegmentTarget {
  static var seeds: [(name: String, bytes: [UInt8])] {
    let pieces = pieces(closed: true)
    let unclosed = self.pieces(closed: false)
    return [
      ("nothing", FuzzInput.bytes([], [])),
      ("one segment", input(Array(pieces.prefix(2)))),
      ("segments", input(pieces)),
      ("in the middle", input(pieces, catchUp: [0, 0, 3], start: 4)),
      ("starts later", input(pieces, offset: 1)),
      ("unclosed", input(unclosed)),
      ("gap", input(pieces, gap: 1)),
      ("without checksums", input(pieces, withoutSidecar: 0xFF)),
      ("torn row", input([unclosed[0] + Array("{\"torn".utf8), unclosed[1]])),
      ("torn checksums", input([pieces[0], pieces[1].dropLast(9)])),
      ("damaged", input([pieces[0].map { $0 ^ 1 }, pieces[1]], leaving: 0xFF)),
      ("other rows", input(pieces + [Array("{}\n{\"row\":1}\n".utf8)], catchUp: [1])),
      ("rows withheld", input(pieces, catchUp: [0, 3])),
      ("high offsets", input(pieces, offset: 2)),
      ("empty", input([[], []])),
    ]
  }

  private static func input(
    _ pieces: [[UInt8]], catchUp: [UInt8] = [], start: UInt8 = 0, gap: UInt8 = 0, leaving: UInt8 = 0,
    withoutSidecar: UInt8 = 0, offset: UInt8 = 0
  ) -> [UInt8] {
    let catchUp = catchUp + Array(repeating: 0, count: 3 - catchUp.count)
    return FuzzInput.bytes(catchUp + [start, gap, leaving, withoutSidecar, 1, offset], pieces)
  }

  private static func pieces(closed: Bool) -> [[UInt8]] {
    let fileSystem = MemoryFileSystem()
    do {
      let writer = try SegmentWriter(
        fileSystem: fileSystem, directory: TableRun.directory, options: TableRun.options)
      for number in 0..<7 {
        let row = Array("{\"row\":\(number),\"x\":\"\(String(repeating: "x", count: number))\"}\n".utf8)
        try row.withUnsafeBytes { try writer.append($0, rowCount: 1) }
        if number % 2 == 0 { try writer.sync() }
      }
      if closed { try writer.close() }
      let names = try fileSystem.list(TableRun.directory)
      return try names.filter { $0.first?.isNumber == true }.flatMap { name throws in
        let sidecar = "." + name.prefix { $0 != "." } + ".checksums"
        return try [name, sidecar].map { try fileSystem.readFile("\(TableRun.directory)/\($0)") }
      }
    } catch { preconditionFailure("a table in memory: \(error)") }
  }
}
