import Dispatch
import SegmentLog
import Storage
import Testing

@Suite struct TableTailTests {
  private let table: TableFixture

  init() throws { table = try TableFixture() }

  private func tail(from offset: Int = 0) -> TableTail {
    TableTail(fileSystem: table.fileSystem, directory: table.directory, from: offset)
  }

  @Test func `A table that does not exist yet is waited for`() throws {
    let tail = tail()
    #expect(try drain(tail) == [])
    let writer = try table.writer()
    #expect(try drain(tail) == [])
    try writer.append([row(0)])
    #expect(try drain(tail) == [row(0)])
    #expect(try drain(tail) == [])
  }

  @Test func `Reading from any row gives that row and all after it`() throws {
    let writer = try table.writer(segmentBytes: 150_000)
    let rows = (0..<8000).map(row)
    try writer.append(rows)
    try writer.sync()
    for offset in [0, 1, 1499, 1500, 2345, 4000, 7999, 8000] {
      #expect(try table.rows(from: offset) == Array(rows[offset...]), "from \(offset)")
    }
  }

  @Test func `Rows that are still to come can be asked for`() throws {
    let writer = try table.writer(segmentBytes: 500)
    let tail = tail(from: 50)
    for first in stride(from: 0, to: 60, by: 3) {
      try writer.append((first..<first + 3).map(row))
      #expect(try drain(tail) == (first..<first + 3).filter { $0 >= 50 }.map(row))
    }
  }

  @Test func `A tail polled at every row across rolls gives each row once`() throws {
    let writer = try table.writer(segmentBytes: 300)
    let tail = tail()
    var rows: [String] = []
    for number in 0..<300 {
      try writer.append([row(number)])
      if number % 7 == 0 { try writer.roll() }
      if number % 5 != 0 { rows += try drain(tail) }
    }
    rows += try drain(tail)
    #expect(rows == (0..<300).map(row))
  }

  @Test func `A tail beside a writer that never stops gives each row once`() throws {
    let count = 20_000
    let directory = table.directory
    // A thread of its own: a task could wait for one of the few that the tests block.
    let ended = DispatchSemaphore(value: 0)
    DispatchQueue(label: "writer").async {
      do {
        let writer = try SegmentWriter(
          fileSystem: LocalFileSystem(), directory: directory, options: SegmentOptions(segmentBytes: 16_384))
        for first in stride(from: 0, to: count, by: 40) { try writer.append((first..<first + 40).map(row)) }
      } catch { Issue.record(error) }
      ended.signal()
    }
    let tail = tail()
    var rows: [String] = []
    let deadline = ContinuousClock.now + .seconds(60)
    while rows.count < count && ContinuousClock.now < deadline { rows += try drain(tail) }
    #expect(ended.wait(timeout: .now() + .seconds(60)) == .success)
    #expect(rows == (0..<count).map(row))
  }

  @Test func `A torn last row is not read until it is whole`() throws {
    _ = try table.writer()
    let file = try table.fileSystem.openForAppending(table.segment(0))
    let tail = tail()
    for byte in row(7).utf8.dropLast() {
      try file.append([byte])
      #expect(try drain(tail) == [])
    }
    try file.append(Array("\n".utf8))
    #expect(try drain(tail) == [row(7)])
  }

  @Test func `A row longer than the buffer is read whole`() throws {
    let long = String(repeating: "y", count: 700_000) + "\n"
    let writer = try table.writer()
    try writer.append([row(0), long, row(2)])
    #expect(try table.rows() == [row(0), long, row(2)])
  }

  @Test func `A missing segment is an error, not a gap`() throws {
    let writer = try table.writer(segmentBytes: 10)
    try writer.append(["0123456789\n", "0123456789\n", "0123456789\n"])
    try table.fileSystem.remove(table.segment(1))
    let tail = tail()
    #expect(try tail.next()?.rowCount == 1)
    #expect(throws: SegmentLogError.missingRows(directory: table.directory, from: 1, to: 2)) {
      try tail.next()
    }
  }

  @Test func `Rows before the first segment are an error that says so`() throws {
    let writer = try table.writer(segmentBytes: 10)
    try writer.append(["0123456789\n", "0123456789\n"])
    try table.fileSystem.remove(table.segment(0))
    let error = #expect(throws: SegmentLogError.self) { try tail().next() }
    #expect(
      error?.description == "\(table.directory) lacks the rows 0 to 0, which came before those it has")
    #expect(try table.rows(from: 1) == ["0123456789\n"])
  }

  @Test func `A torn row in a segment that others follow is damage`() throws {
    let writer = try table.writer(segmentBytes: 10)
    try writer.append(["0123456789\n", "next\n"])
    try table.fileSystem.openForAppending(table.segment(0)).append(Array("torn".utf8))
    #expect(
      throws: SegmentLogError.corrupt(
        path: table.segment(0), byte: 11, what: "a torn row in a segment that others follow")
    ) { try table.rows() }
  }
}

/// A table of very many segments.
@Suite struct ManySegmentsTests {
  private static let source = RowSource(rows: (0..<1_000).map(row), segmentBytes: 1)

  /// A table of so many segments, a row each, and its writer.
  private func table(_ count: Int) throws -> (MemoryTable, SegmentWriter) {
    let table = MemoryTable()
    let writer = try table.writer(Self.source)
    try writer.append(Array(Self.source.rows[..<count]))
    return (table, writer)
  }

  private func tail(_ table: MemoryTable) -> TableTail {
    TableTail(fileSystem: table.disk, directory: table.directory, from: 0)
  }

  private func looks(_ table: MemoryTable, _ body: () throws -> Void) throws -> Int {
    let before = table.disk.looks
    try body()
    return table.disk.looks - before
  }

  @Test func `Reading takes time in proportion to the number of segments`() throws {
    for count in [50, 200, 800] {
      let (table, _) = try table(count)
      let tail = tail(table)
      let looks = try looks(table) {
        let rows = try drain(tail)
        #expect(rows == Array(Self.source.rows[..<count]))
      }
      #expect(looks < 10 * count + 100)
    }
  }

  @Test func `An idle tail looks at a few names, however many segments there are`() throws {
    let (table, writer) = try table(800)
    let tail = tail(table)
    _ = try drain(tail)
    for number in 800..<810 {
      let idle = try looks(table) {
        for _ in 0..<100 where try tail.next() != nil { Issue.record("a row that nobody wrote") }
      }
      #expect(idle <= 400)
      try writer.append([row(number)])
      let active = try looks(table) {
        let rows = try drain(tail)
        #expect(rows == [row(number)])
      }
      #expect(active <= 20)
    }
  }

  @Test func `Without the link, segments that come are found all the same`() throws {
    let (table, writer) = try table(3)
    let tail = tail(table)
    _ = try drain(tail)
    try writer.append([row(3), row(4)])
    try table.memory.remove(table.path("current.ndjson"))
    #expect(try drain(tail) == [row(3), row(4)])
    #expect(try tail.next() == nil)
  }

  @Test func `Rows that a tail waits for and that never come are an error once there are later ones`() throws
  {
    let (table, writer) = try table(3)
    let tail = tail(table)
    _ = try drain(tail)
    try writer.append([row(3), row(4), row(5)])
    for base in [4, 5] { try table.memory.remove(table.path(segmentFile(base))) }
    #expect(try tail.next()?.firstOffset == 3)
    #expect(throws: SegmentLogError.missingRows(directory: table.directory, from: 4, to: 6)) {
      try tail.next()
    }
  }

  @Test func `Segments that were moved away since they were listed are an error that names the rows`() throws
  {
    let (table, _) = try table(10)
    let tail = tail(table)
    #expect(try tail.next()?.rowCount == 1)
    for base in 0..<5 { try table.memory.remove(table.path(segmentFile(base))) }
    #expect(throws: SegmentLogError.missingRows(directory: table.directory, from: 1, to: 5)) {
      _ = try drain(tail)
    }
  }
}

@Suite struct TableReaderTests {
  private let table: TableFixture

  init() throws { table = try TableFixture() }

  @Test func `The end counts whole rows, also those without checksums yet`() throws {
    let reader = TableReader(fileSystem: table.fileSystem, directory: table.directory)
    #expect(try reader.endOffset() == nil)
    #expect(try reader.firstOffset() == nil)
    let writer = try table.writer(segmentBytes: 100_000)
    #expect(try reader.endOffset() == 0)
    try writer.append((0..<5000).map(row))
    try writer.sync()
    try writer.append((5000..<5003).map(row))
    #expect(try reader.endOffset() == 5003)
    #expect(try reader.firstOffset() == 0)
  }

  @Test(arguments: [0, 1, 5, 999, 1000, 1001])
  func `The last rows are the last rows, across segments`(count: Int) throws {
    let writer = try table.writer(segmentBytes: 7000)
    try writer.append((0..<1000).map(row))
    let reader = TableReader(fileSystem: table.fileSystem, directory: table.directory)
    let tail = try reader.rows(last: count)
    #expect(try drain(tail) == (0..<1000).suffix(count).map(row))
    try writer.append([row(1000)])
    #expect(try drain(tail) == [row(1000)])
  }

  @Test func `The last rows of a table that is not there are waited for`() throws {
    let reader = TableReader(fileSystem: table.fileSystem, directory: table.directory)
    let tail = try reader.rows(last: 3)
    #expect(try drain(tail) == [])
  }
}
