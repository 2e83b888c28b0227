import Foundation
import Journal
import Pipeline
import Records
import Storage
import Testing

@testable import Playback

@Suite struct StagedCustomersTests {
  private let folder: ScratchFolder
  private let fileSystem = LocalFileSystem()
  private var path: String { folder("customers") }

  init() throws {
    folder = try ScratchFolder()
    try fileSystem.createDirectories(folder("data"))
    try fileSystem.createDirectories(folder("customers"))
  }

  private func stage(
    maxRecordBytes: Int = 1 << 20, minFreeBytes: Int = 0
  ) throws(StagingError) -> StagedCustomers {
    try StagedCustomers(
      path: path, maxRecordBytes: maxRecordBytes, minFreeBytes: minFreeBytes, fileSystem: fileSystem,
      dataDirectory: folder("data"))
  }

  private func entries(_ staged: StagedCustomers) throws -> [Entry] {
    let entries = EntryBuffer()
    while let piece = try staged.next() { entries.append(piece, arrivalMs: 42) }
    return entries.map(Entry.init)
  }

  private func customer(_ number: Int) -> String { #"{"email":"c\#(number)@x","serialNumber":"S1"}"# }

  @Test func `What was checked comes out as the entries of the start, whatever became of the files since`()
    throws
  {
    try fileSystem.overwrite("\(path)/1.json", "\(customer(1))\n\n\(customer(2))\n")
    try fileSystem.overwrite("\(path)/2.json", "[\n\(customer(3)),\n\(customer(4))\n]")
    let staged = try stage()
    #expect(staged.recordCount == 4)
    try fileSystem.overwrite("\(path)/1.json", "nonsense")
    try fileSystem.remove("\(path)/2.json")

    let entries = try entries(staged)
    #expect(entries.map(\.topic) == ["\(path)/1.json", "\(path)/2.json"])
    #expect(
      entries.map(\.payload) == [
        "\(customer(1))\n\n\(customer(2))\n", "[\n\(customer(3)),\n\(customer(4))\n]",
      ])
    #expect(entries.allSatisfy { $0.kind == .customerFile && $0.arrivalMs == 42 })

    let fixture = try EngineFixture()
    try fixture.player.play(EntryBuffer(entries))
    #expect(fixture.engine.counts[.customer, .notConsenting] == 4)
  }

  @Test func `Files that the gateway did not make stay where copies are kept aside`() throws {
    let copies = folder("data/customers")
    try fileSystem.createDirectories(copies)
    let others = ["README", "customers.json", "1.journal", ".00000000000000000000.checksums"]
    let left = ["00000000000000000000.journal", ".00000000000000000000.journal.tmp"]
    for name in others + left { try fileSystem.overwrite("\(copies)/\(name)", "x") }
    try StagedCustomers.remove(fileSystem: fileSystem, folder("data"))
    #expect(try fileSystem.list(copies) == others.sorted())
    try fileSystem.overwrite("\(path)/1.json", customer(1))
    #expect(try entries(stage()).count == 1)
    #expect(try Set(fileSystem.list(copies)).isSuperset(of: others))
  }

  @Test func `A large file comes in pieces, and none of it is lost`() throws {
    let count = 40_000
    try fileSystem.overwrite("\(path)/1.json", (0..<count).map { customer($0) + "\n" }.joined())
    let staged = try stage()
    #expect(staged.recordCount == count)
    var pieces = 0
    var text = ""
    while let piece = try staged.next() {
      pieces += 1
      #expect(piece.byteCount < 1 << 20)
      for entry in piece { text += String(decoding: entry.payload, as: UTF8.self) }
    }
    #expect(pieces >= 4)
    #expect(text == (0..<count).map { customer($0) + "\n" }.joined())
  }

  private func refusal(maxRecordBytes: Int = 1 << 20, minFreeBytes: Int = 0) -> String {
    do {
      _ = try stage(maxRecordBytes: maxRecordBytes, minFreeBytes: minFreeBytes)
      return "none"
    } catch { return "\(error)" }
  }

  @Test func `One bad record refuses all, with the first bad line of the first bad file`() throws {
    try fileSystem.overwrite("\(path)/1.json", customer(1))
    try fileSystem.overwrite(
      "\(path)/2.json", "\(customer(1))\n\n{\"email\":\"b\"}\n{\"email\":7}\n\(customer(2))\nx")
    #expect(
      refusal()
        == "2 of 6 records are no customer records, the first at \(path)/2.json:4: email is not a string")
  }

  @Test func `The line is right behind many blocks, in an array, and behind a line that is too long`() throws
  {
    let good = (0..<20_000).map { customer($0) + "\n" }.joined()
    try fileSystem.overwrite("\(path)/1.json", good + "bad\n" + good)
    #expect(
      refusal().contains("1 of 40001 records is no customer record, the first at \(path)/1.json:20001: "))
    try fileSystem.overwrite("\(path)/1.json", "[\(customer(1)),\n\(customer(2)),\n{\"email\":\"\"}]")
    #expect(refusal().contains("\(path)/1.json:3: email is empty"))
    let long = #"{"email":"\#(String(repeating: "x", count: 700_000))"}"#
    try fileSystem.overwrite("\(path)/1.json", "\(customer(1))\n\(long)\n\(customer(2))\n")
    #expect(
      refusal(maxRecordBytes: 1_000).contains(
        "1 of 3 records is no customer record, the first at \(path)/1.json:2: the payload is larger than"))
  }

  @Test func `A cut file is refused, and so is what cannot be read or is not there`() throws {
    try fileSystem.overwrite("\(path)/1.json", customer(1) + "\n" + customer(2).dropLast(5))
    #expect(
      refusal().contains("1 of 2 records is no customer record, the first at \(path)/1.json:2: not JSON"))
    try fileSystem.remove("\(path)/1.json")
    #expect(refusal() == "\(path) holds no *.json, *.ndjson or *.jsonl file")
    rmdir(path)
    #expect(refusal().hasSuffix("No such file or directory"))
  }

  @Test func `Without room for the copy and the journal nothing is written`() throws {
    try fileSystem.overwrite("\(path)/1.json", customer(1))
    let free = try fileSystem.freeBytes(folder("data"))
    #expect(refusal(minFreeBytes: free * 2).contains("MiB takes twice the room, and only \(free >> 20)"))
    #expect(try fileSystem.list(folder("data")).isEmpty)
  }

  @Test func `What a process left that ended meanwhile is gone with the next`() throws {
    try fileSystem.overwrite("\(path)/1.json", customer(1) + "\n" + customer(2))
    _ = try stage()
    try fileSystem.overwrite("\(path)/1.json", customer(3))
    let staged = try stage()
    #expect(try entries(staged).map(\.payload) == [customer(3)])
    try StagedCustomers.remove(fileSystem: fileSystem, folder("data"))
    #expect(try fileSystem.list(folder("data/customers")).isEmpty)
  }

  @Test func `Bytes that were lost from the copy are noticed`() throws {
    try fileSystem.overwrite("\(path)/1.json", (0..<10_000).map { customer($0) + "\n" }.joined())
    let staged = try stage()
    let copies = try fileSystem.list(folder("data/customers"))
    let copy = try fileSystem.openForAppending(folder("data/customers/\(try #require(copies.first))"))
    try copy.truncate(to: try copy.size() / 2)
    #expect(throws: JournalError.self) { try entries(staged) }
  }
}
