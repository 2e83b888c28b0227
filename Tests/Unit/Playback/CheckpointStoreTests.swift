import Glibc
import Journal
import Pipeline
import Storage
import Testing
import TestSupport

@testable import Playback

@Suite struct CheckpointStoreTests {
  private let fixture: RecoveryFixture
  private let recovered: Recovered

  init() throws {
    fixture = try RecoveryFixture()
    recovered = try #require(try fixture.start())
  }

  private func take(_ range: Range<Int>) throws {
    try fixture.take(recovered, RecoveryFixture.messages(range))
    try fixture.checkpoint(recovered)
  }

  @Test func `The two newest are kept, and the journal from the older one on`() throws {
    try take(0..<10)
    #expect(try journalStart(fileSystem: fixture.disk, directory: "data/journal") == 0)
    try take(10..<20)
    try take(20..<30)
    let older = recovered.player.position
    try take(30..<40)
    #expect(try fixture.store.positions() == [older, recovered.player.position])
    let start = try journalStart(fileSystem: fixture.disk, directory: "data/journal")
    #expect(start > 0 && start <= older)
    let reader = try JournalReader(fileSystem: fixture.disk, directory: "data/journal", from: older)
    let entries = EntryBuffer()
    var count = 0
    while try reader.read(into: entries) { count += entries.entryCount }
    #expect(count == 10)
  }

  @Test func `The header and the end of a checkpoint are these bytes`() throws {
    try take(0..<3)
    let position = recovered.player.position
    let bytes = try fixture.disk.readFile("data/checkpoint/\(twentyDigits(position)).checkpoint")
    #expect(Array(bytes[..<8]) == Array("STEPGCKP".utf8))
    #expect(Array(bytes[8..<16]) == [2, 0, 0, 0, 0, 0, 0, 0])
    let content = bytes.count - 40
    #expect(Array(bytes[16..<24]) == littleEndian(UInt64(position)))
    #expect(Array(bytes[24..<32]) == littleEndian(UInt64(content)))
    let sum = bytes.withUnsafeBytes { checksum(UnsafeRawBufferPointer(rebasing: $0.dropLast(8))) }
    #expect(Array(bytes.suffix(8)) == littleEndian(sum))
  }

  private func littleEndian(_ value: UInt64) -> [UInt8] { (0..<8).map { UInt8(value >> ($0 * 8) & 0xFF) } }

  @Test func `A file of a later version is refused, not set aside`() throws {
    try take(0..<3)
    let path = fixture.store.path(recovered.player.position)
    var bytes = try fixture.disk.readFile(path)
    bytes[8] = 3
    try fixture.disk.remove(path)
    try fixture.disk.openForAppending(path).append(bytes)
    #expect {
      _ = try fixture.start()
    } throws: { error in
      "\(error)" == "\(path) has format version 3; this stepgate reads versions up to 2"
    }
    #expect(try fixture.disk.readFile(path) == bytes)
  }

  @Test func `Rows are synced first, then the file and its name, and only then older ones go`() throws {
    let disk = FaultyFileSystem()
    let folder = try ScratchFolder()
    var log: [String] = []
    let recovery = Recovery(
      fileSystem: disk, dataDirectory: folder("data"), initial: fixture.settings(toleranceMs: 100),
      journalOptions: JournalOptions(segmentBytes: 400), readSettings: noSettings)
    let recovered = try #require(try recovery.run())
    let store = CheckpointStore(fileSystem: disk, dataDirectory: folder("data"))
    var first = 0
    for end in [10, 20, 30] {
      try fixture.take(recovered, RecoveryFixture.messages(end - 10..<end))
      _ = disk.takeLog()
      try store.write(recovered.player.checkpoint(remembering: recovered.redeliveries))
      log = disk.takeLog()
      if end == 10 { first = recovered.player.position }
    }
    let name = "\(twentyDigits(recovered.player.position)).checkpoint"
    let rename = try #require(log.firstIndex(of: "rename \(name)"))
    let synced = log[..<rename]
    #expect(synced.last == "sync .new")
    let tables = fixture.settings(toleranceMs: 0).engine.tables
    #expect(synced.filter { $0.hasPrefix("sync 0000") }.count == tables.count)
    #expect(tables.allSatisfy { synced.contains("sync folder \($0.name)") })
    #expect(log[rename + 1] == "sync folder checkpoint")
    #expect(log[rename + 2] == "remove \(twentyDigits(first)).checkpoint")
    #expect(log[rename + 3] == "sync folder checkpoint", "before the journal behind it goes")
    #expect(log[rename + 4] == "sync folder journal")
    #expect(log[rename + 5].hasPrefix("remove ") && log[rename + 5].hasSuffix(".journal"))
  }

  @Test func `A failed sync of a table's rows leaves no checkpoint`() throws {
    let disk = FaultyFileSystem()
    let folder = try ScratchFolder()
    let recovery = Recovery(
      fileSystem: disk, dataDirectory: folder("data"), initial: fixture.settings(toleranceMs: 100),
      readSettings: noSettings)
    let recovered = try #require(try recovery.run())
    try fixture.take(recovered, RecoveryFixture.messages(0..<10))
    let store = CheckpointStore(fileSystem: disk, dataDirectory: folder("data"))
    for operation in [StorageError.Operation.sync, .syncDirectory, .rename, .write] {
      disk.fail(operation)
      #expect(throws: StorageError.self) {
        try store.write(recovered.player.checkpoint(remembering: recovered.redeliveries))
      }
      disk.fail(nil)
      if operation != .syncDirectory { #expect(try store.positions().isEmpty) }
    }
  }
}
