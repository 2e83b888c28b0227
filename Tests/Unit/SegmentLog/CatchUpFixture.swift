import SegmentLog
import Storage
import TestSupport

/// Rows that an engine makes, and makes once more after a crash: the same ones, rolled at the same places.
struct RowSource {
  let rows: [String]
  /// The table is rolled before each row whose offset is one of these.
  var rolls: Set<Int> = []
  var segmentBytes = 1 << 20

  /// Appends the rows `first ..< end` in batches of any size; `afterBatch` is told the writer's position.
  func feed(
    _ writer: SegmentWriter, _ first: Int, _ end: Int, _ random: inout SeededRandom,
    afterBatch: (inout SeededRandom) throws -> Void = { _ in }
  ) throws {
    var next = first
    while next < end {
      if rolls.contains(next) { try writer.roll() }
      let limit = min(end, rolls.filter { $0 > next }.min() ?? end)
      let stop = random.oneIn(4) ? limit : Int.random(in: next + 1...limit, using: &random)
      try writer.append(Array(rows[next..<stop]))
      next = stop
      try afterBatch(&random)
    }
    if rolls.contains(end) { try writer.roll() }
  }

  /// The files of a writer that is fed all rows and never disturbed.
  func undisturbedFiles() throws -> [String: [UInt8]] {
    let table = MemoryTable()
    let writer = try table.writer(self)
    var random = SeededRandom(seed: 0)
    try feed(writer, 0, rows.count, &random)
    try writer.close()
    return try table.files()
  }

  /// The bytes of the rows before row `offset`.
  func bytes(before offset: Int) -> Int { rows[..<offset].reduce(0) { $0 + $1.utf8.count } }
}

/// A table in memory.
struct MemoryTable {
  let memory: MemoryFileSystem
  let disk: WatchedDisk
  let directory = "/table"

  init() {
    memory = MemoryFileSystem()
    memory.createDirectories(directory)
    disk = WatchedDisk(memory)
  }

  /// A table that holds these files, and a link as a writer would leave it.
  init(_ files: [String: [UInt8]]) throws {
    self.init()
    for (name, bytes) in files { try memory.openForAppending("\(directory)/\(name)").append(bytes) }
    let newest = files.keys.filter { $0.hasSuffix(".ndjson") }.max()
    if let newest { try memory.createLink("\(directory)/current.ndjson", target: newest) }
  }

  func writer(_ source: RowSource) throws -> SegmentWriter {
    try SegmentWriter(
      fileSystem: disk, directory: directory, options: SegmentOptions(segmentBytes: source.segmentBytes))
  }

  func writer(_ source: RowSource, at position: TablePosition) throws -> SegmentWriter {
    try SegmentWriter(
      fileSystem: disk, directory: directory, options: SegmentOptions(segmentBytes: source.segmentBytes),
      resumingAt: position)
  }

  /// All files by name, without the link; `damaged` also those that were set aside.
  func files(damaged: Bool = false) throws -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for name in try memory.list(directory) where name != "current.ndjson" {
      if name.contains("damaged") && !damaged { continue }
      files[name] = try memory.readFile("\(directory)/\(name)")
    }
    return files
  }

  func path(_ name: String) -> String { "\(directory)/\(name)" }

  func rows(from offset: Int = 0) throws -> [String] {
    try drain(TableTail(fileSystem: memory, directory: directory, from: offset))
  }

  /// What `verify` finds, damage and other things.
  func problems() throws -> [TableReport.Finding] {
    let report = try verifyTable(fileSystem: memory, directory: directory)
    return report.problems + report.notes
  }

  func linkTarget() throws -> String { try memory.linkTarget("\(directory)/current.ndjson") }
}

func segmentFile(_ base: Int) -> String {
  String(repeating: "0", count: 20 - String(base).count) + "\(base).ndjson"
}

func sidecarFile(_ base: Int) -> String { "." + segmentFile(base).dropLast("ndjson".count) + "checksums" }

/// What a process leaves that dies when the newest segment has `length` bytes: no checksums of later bytes.
func cutNewest(_ files: [String: [UInt8]], to length: Int) -> [String: [UInt8]] {
  var files = files
  guard let newest = files.keys.filter({ $0.hasSuffix(".ndjson") }).max() else { return files }
  files[newest] = Array(files[newest, default: []].prefix(length))
  let checksums = "." + newest.dropLast("ndjson".count) + "checksums"
  let lines = String(decoding: files[checksums, default: []], as: UTF8.self).split(separator: "\n")
  let kept = lines.prefix { Int($0.prefix { $0 != " " }) ?? 0 <= length }
  files[checksums] = Array(kept.map { "\($0)\n" }.joined().utf8)
  return files
}
