import SegmentLog
import Storage

/// A table in a folder of its own, and what tests do with it.
struct TableFixture {
  let folder: ScratchFolder
  let fileSystem = LocalFileSystem()
  let directory: String

  init() throws {
    folder = try ScratchFolder()
    directory = folder("table")
  }

  func writer(segmentBytes: Int = 1 << 20) throws -> SegmentWriter {
    try SegmentWriter(
      fileSystem: fileSystem, directory: directory, options: SegmentOptions(segmentBytes: segmentBytes))
  }

  func segment(_ base: Int) -> String { "\(directory)/\(digits(base)).ndjson" }
  func sidecar(_ base: Int) -> String { "\(directory)/.\(digits(base)).checksums" }

  /// All rows from `offset` on that are there now.
  func rows(from offset: Int = 0) throws -> [String] {
    try drain(TableTail(fileSystem: fileSystem, directory: directory, from: offset))
  }

  func verify() throws -> TableReport {
    try verifyTable(fileSystem: fileSystem, directory: directory)
  }

  private func digits(_ base: Int) -> String {
    String(repeating: "0", count: 20 - String(base).count) + String(base)
  }
}

/// A row that tells its number, with a length that varies.
func row(_ number: Int) -> String {
  "{\"row\":\(number),\"pad\":\"" + String(repeating: "x", count: (number &* 37) % 53) + "\"}\n"
}

/// What `tail` gives until it has nothing new, as rows; checks that the chunks fit each other.
func drain(_ tail: TableTail) throws -> [String] {
  var rows: [String] = []
  while let chunk = try tail.next() {
    let lines = String(decoding: chunk.bytes, as: UTF8.self).split(separator: "\n").map { "\($0)\n" }
    guard lines.count == chunk.rowCount, chunk.firstOffset + chunk.rowCount == tail.nextOffset else {
      throw FixtureError.chunkDoesNotFit(chunk.firstOffset, chunk.rowCount, lines.count)
    }
    rows += lines
  }
  return rows
}

enum FixtureError: Error {
  case chunkDoesNotFit(Int, Int, Int)
}

extension SegmentWriter {
  func append(_ rows: [String]) throws {
    try Array(rows.joined().utf8).withUnsafeBytes { try append($0, rowCount: rows.count) }
  }
}
