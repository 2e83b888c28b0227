import Records
import Storage
import Testing
import TestSupport

@testable import Pipeline

private func reading(_ number: Int, padding: Int = 0) -> String {
  let pad = padding > 0 ? ",\"pad\":\"\(String(repeating: "p", count: padding))\"" : ""
  return "{\"sensorReadingTime\":\(number),\"serialNumber\":\"s\",\"distanceFromObject\":1\(pad)}"
}

@Suite struct RecordFilesTests {
  private let fileSystem = MemoryFileSystem()

  private func write(_ path: String, _ text: String) throws {
    try fileSystem.openForAppending(path).append(Array(text.utf8))
  }

  private func read(_ path: String, maxRecordBytes: Int = 1 << 20) throws -> [ParsedRecord] {
    let files = try RecordFiles(kind: .stepTrainer, path: path, fileSystem: fileSystem)
    var records: [ParsedRecord] = []
    var bytes = 0
    let parser = RecordParser()
    try files.read(
      parser: parser, maxRecordBytes: maxRecordBytes, nextBlock: { RecordBlock() },
      piece: { piece, topic, block in
        parser.parse(piece, kind: .stepTrainer, arrivalMs: 0, topic: topic, into: block.batch)
      },
      filled: { block, count in
        records += parsed(block.batch, .stepTrainer)
        bytes += count
      })
    #expect(bytes == files.byteCount)
    return records
  }

  @Test func `A folder's record files are read in name order, and nothing else of it`() throws {
    fileSystem.createDirectories("f")
    for (name, number) in [("b.json", 2), ("a.ndjson", 1), ("c.jsonl", 3), ("d.txt", 4), (".e.json", 5)] {
      try write("f/\(name)", reading(number) + "\n")
    }
    #expect(try read("f").map(\.timeMs) == [1, 2, 3])
  }

  @Test func `A folder without record files and a path that is not there are errors`() {
    fileSystem.createDirectories("f")
    #expect(throws: RecordFilesError.noFiles(path: "f")) { try read("f") }
    #expect(throws: RecordFilesError.self) { try read("g") }
  }

  @Test func `An empty file holds no record`() throws {
    try write("f.json", "")
    #expect(try read("f.json").isEmpty)
    try write("g.json", "\n \r\n")
    #expect(try read("g.json").isEmpty)
  }

  @Test(arguments: ["", "\n", "\r\n", "\n\n\n"])
  func `The last line may end the file or not`(end: String) throws {
    try write("f.json", "\u{FEFF}\(reading(1))\n\(reading(2))\(end)")
    let records = try read("f.json")
    #expect(records.map(\.timeMs) == [1, 2])
    #expect(records.map { String(decoding: $0.text, as: UTF8.self) } == [reading(1), reading(2)])
  }

  @Test func `Blocks cut no record, wherever they end`() throws {
    // Line lengths that are prime to the block's, so that all kinds of cuts happen.
    for padding in [0, 37, 1009, 100_003, 262_144] {
      let count = padding > 100_000 ? 8 : 900_000 / (padding + 70)
      let lines = (0..<count).map { reading($0, padding: padding) }
      try write("f\(padding).json", lines.joined(separator: "\n"))
      let records = try read("f\(padding).json")
      #expect(records.map(\.timeMs) == (0..<Int64(count)).map { $0 })
      #expect(records.allSatisfy { $0.problem == nil })
    }
  }

  @Test func `A bad line refuses itself, the first one too`() throws {
    try write("f.json", "{\"oops\n\(reading(1))\noops\n\(reading(2))\n")
    #expect(try read("f.json").map(\.problem) == ["not JSON", nil, "not a JSON object", nil])
  }

  @Test func `An array and a pretty-printed object are read whole`() throws {
    try write("array.json", "[\n\(reading(1)),\n\(reading(2))\n]\n")
    #expect(try read("array.json").map(\.timeMs) == [1, 2])
    try write("pretty.json", reading(7).replacing(",", with: ",\n  ") + "\n")
    #expect(try read("pretty.json").map(\.timeMs) == [7])
    let large = (0..<10_000).map { reading($0, padding: 50) }.joined(separator: ",\n")
    try write("large.json", "\u{FEFF}[\(large)]")
    #expect(try read("large.json").map(\.timeMs) == (0..<10_000).map { $0 })
  }

  @Test func `A line without end is refused, and what follows it is read`() throws {
    let long = reading(1, padding: 3 << 20)
    try write("f.json", "\(reading(0))\n\(long)\n\(reading(2))\n")
    let records = try read("f.json")
    #expect(records.map(\.verdict) == [nil, .oversized, nil])
    #expect(records.map(\.timeMs) == [0, 0, 2])
    #expect(
      records[1].text == Array(long.utf8.prefix(records[1].text.count)) && records[1].text.count >= 4096)
    // As the last line it ends with the file.
    try write("g.json", "\(reading(0))\n\(long)")
    #expect(try read("g.json").map(\.verdict) == [nil, .oversized])
  }

  @Test func `Reading stops when there is no more block`() throws {
    try write("f.json", reading(1))
    let files = try RecordFiles(kind: .stepTrainer, path: "f.json", fileSystem: fileSystem)
    try files.read(
      parser: RecordParser(), maxRecordBytes: 1, nextBlock: { nil },
      piece: { _, _, _ in Issue.record("nothing was to be read") },
      filled: { _, _ in Issue.record("nothing was to be read") })
  }
}
