// A disk that is full, for a while or for good: everything written is there once, and in order.

import Glibc
import Journal
import Storage
import Synchronization
import Testing

@Suite struct PatientFileSystemTests {
  private let disk = SmallDisk()

  /// Waits without end; each time so many bytes and names become free.
  private func patient(bytesAWait: Int = 1 << 30, namesAWait: Int = 1) -> PatientFileSystem {
    PatientFileSystem(disk) { [disk] _ in
      disk.makeRoom(bytes: bytesAWait, names: namesAWait)
      return true
    }
  }

  @Test func `Nothing is waited for while there is room`() throws {
    disk.makeRoom(bytes: 11, names: 1)
    let fileSystem = PatientFileSystem(disk) { _ in
      Issue.record("there is room")
      return false
    }
    let file = try fileSystem.openForAppending("/a")
    try file.append(Array("hello ".utf8))
    try file.append(Array("world".utf8))
    try file.sync()
    #expect(try fileSystem.text("/a") == "hello world")
    #expect(try file.size() == 11)
    #expect(disk.appends == [6, 5])
  }

  @Test(arguments: 1...20, [0, 1, 7])
  func `Whatever room comes back at a time, every byte is there once and in order`(
    bytesAWait: Int, atFirst: Int
  ) throws {
    disk.makeRoom(bytes: atFirst, names: 1)
    let file = try patient(bytesAWait: bytesAWait).openForAppending("/a")
    var expected: [UInt8] = []
    for length in [0, 1, 13, 2, 40, 1, 0, 5] {
      let bytes = (0..<length).map { UInt8(expected.count + $0) }
      try file.append(bytes)
      expected += bytes
      #expect(try file.size() == expected.count)
    }
    #expect(try disk.readFile("/a") == expected)
  }

  @Test func `A file that has bytes already, or was cut, is continued where it ends`() throws {
    disk.makeRoom(bytes: 8, names: 1)
    let fileSystem = patient(bytesAWait: 2)
    try fileSystem.openForAppending("/a").append(Array("one two".utf8))
    let file = try fileSystem.openForAppending("/a")
    try file.append(Array(" three".utf8))
    #expect(try disk.text("/a") == "one two three")
    try file.truncate(to: 4)
    try file.append(Array("2 three four five six".utf8))
    #expect(try disk.text("/a") == "one 2 three four five six")
  }

  @Test func `Giving up throws the disk's own error, and keeps what was written`() throws {
    disk.makeRoom(bytes: 5, names: 1)
    let asked = Mutex<[StorageError]>([])
    let fileSystem = PatientFileSystem(disk) { error in
      asked.withLock { asked in
        asked.append(error)
        return asked.count < 3
      }
    }
    let full = StorageError(operation: .write, path: "/a", offset: 5, code: ENOSPC)
    let file = try fileSystem.openForAppending("/a")
    #expect(throws: full) { try file.append(Array("hello world".utf8)) }
    #expect(asked.withLock { $0 } == [full, full, full])
    #expect(try disk.text("/a") == "hello")

    // As a writer that begins anew would go on.
    disk.makeRoom(bytes: 100, names: 0)
    try file.append(Array(" world".utf8))
    #expect(try disk.text("/a") == "hello world")
  }

  @Test(arguments: [ENOSPC, EDQUOT, EIO])
  func `A failed sync is thrown at once, whatever its reason`(code: CInt) throws {
    disk.makeRoom(bytes: 100, names: 10)
    let fileSystem = PatientFileSystem(disk) { _ in
      Issue.record("a sync is never repeated")
      return false
    }
    let file = try fileSystem.openForAppending("/a")
    disk.failSyncs(code)
    let error = StorageError(operation: .sync, path: "/a", code: code)
    #expect(throws: error) { try file.syncData() }
    #expect(throws: error) { try file.sync() }
    let folder = StorageError(operation: .syncDirectory, path: "/", code: code)
    #expect(throws: folder) { try fileSystem.syncDirectory("/") }
    #expect(throws: folder, "made with the folder") { try fileSystem.createDirectories("/b") }
  }

  @Test func `Another error is thrown at once, even when a part was written`() throws {
    disk.makeRoom(bytes: 3, names: 1)
    let fileSystem = PatientFileSystem(disk) { _ in
      Issue.record("this does not pass by itself")
      return true
    }
    let file = try fileSystem.openForAppending("/a")
    disk.fullMeans(EIO)
    #expect(throws: StorageError(operation: .write, path: "/a", offset: 3, code: EIO)) {
      try file.append(Array("hello".utf8))
    }
  }

  @Test(arguments: [ENOSPC, EDQUOT])
  func `Names wait for room as bytes do`(code: CInt) throws {
    disk.fullMeans(code)
    let waits = Mutex(0)
    let fileSystem = PatientFileSystem(disk) { [disk] error in
      #expect(error.code == code)
      waits.withLock { $0 += 1 }
      disk.makeRoom(bytes: 0, names: 1)
      return true
    }
    try fileSystem.createDirectories("/f")
    _ = try fileSystem.openForAppending("/f/a")
    try fileSystem.createLink("/f/b", target: "a")
    #expect(waits.withLock { $0 } == 3)
    try fileSystem.rename("/f/a", to: "/f/c")
    try fileSystem.remove("/f/b")
    try fileSystem.lock("/f/lock").unlock()
    #expect(waits.withLock { $0 } == 6)
    #expect(try disk.list("/f") == ["c"])
  }

  @Test func `A file that is replaced on a full disk is the old one or the new one, whole`() throws {
    disk.makeRoom(bytes: 3, names: 2)
    let old = Array("old".utf8)
    try old.span.bytes.withUnsafeBytes { try disk.writeFileAtomically("/a", $0) }
    let new = Array("new and longer".utf8)
    let fileSystem = PatientFileSystem(disk) { [disk] _ in
      #expect((try? disk.readFile("/a")) == old)
      disk.makeRoom(bytes: 1, names: 1)
      return true
    }
    try new.span.bytes.withUnsafeBytes { try fileSystem.writeFileAtomically("/a", $0) }
    #expect(try disk.readFile("/a") == new)
    #expect(try disk.list("/") == ["a"])
  }

  @Test func `A file that somebody else cut meanwhile is not continued`() throws {
    disk.makeRoom(bytes: 5, names: 1)
    let fileSystem = PatientFileSystem(disk) { _ in true }
    let file = try fileSystem.openForAppending("/a")
    try file.append(Array("hello".utf8))
    try disk.openForAppending("/a").truncate(to: 0)
    #expect(throws: StorageError(operation: .write, path: "/a", offset: 0, code: ENOSPC)) {
      try file.append(Array("hello world".utf8))
    }
  }

  @Test func `A journal that runs out of room again and again is whole`() throws {
    let fileSystem = patient(bytesAWait: 11)
    let writer = try JournalWriter(
      fileSystem: fileSystem, directory: "/journal", options: JournalOptions(segmentBytes: 500))
    for number in 0..<40 {
      try writer.append(EntryBuffer([.numbered(2 * number), .numbered(2 * number + 1)]))
      try writer.sync()
    }
    let reader = try JournalReader(fileSystem: disk, directory: "/journal")
    let buffer = EntryBuffer()
    var entries: [Entry] = []
    while try reader.read(into: buffer) { entries += buffer.map(Entry.init) }
    #expect(entries == (0..<80).map(Entry.numbered))
  }

  @Test func `The kernel's own full disk is waited for`() throws {
    // Every write to this device fails with ENOSPC (full(4)).
    let waits = Mutex(0)
    let fileSystem = PatientFileSystem(LocalFileSystem()) { error in
      #expect(error == StorageError(operation: .write, path: "/dev/full", offset: 0, code: ENOSPC))
      return waits.withLock { waits in
        waits += 1
        return waits < 5
      }
    }
    let file = try fileSystem.openForAppending("/dev/full")
    #expect(throws: StorageError(operation: .write, path: "/dev/full", offset: 0, code: ENOSPC)) {
      try file.append([1, 2, 3])
    }
    #expect(waits.withLock { $0 } == 5)
  }
}

/// Files in memory on a disk with room for so many bytes and operations on names, none at first. What fits
/// of an append is written before it fails.
private final class SmallDisk: FileSystem {
  fileprivate struct State {
    var files: [String: [UInt8]] = [:]
    var links: [String: String] = [:]
    var freeBytes = 0
    var freeNames = 0
    var fullCode = ENOSPC
    var syncCode: CInt?
    var appends: [Int] = []
  }

  fileprivate let state = Mutex(State())

  func makeRoom(bytes: Int, names: Int) {
    state.withLock {
      $0.freeBytes += bytes
      $0.freeNames += names
    }
  }

  func fullMeans(_ code: CInt) { state.withLock { $0.fullCode = code } }
  func failSyncs(_ code: CInt) { state.withLock { $0.syncCode = code } }
  /// The bytes of each append that was asked for.
  var appends: [Int] { state.withLock { $0.appends } }

  func createDirectories(_ path: String) throws(StorageError) {
    try takeName(.createDirectory, path)
    try syncDirectory("/")
  }

  func list(_ directory: String) throws(StorageError) -> [String] {
    let start = directory == "/" ? "/" : directory + "/"
    return state.withLock { state in
      (Array(state.files.keys) + Array(state.links.keys)).filter { $0.hasPrefix(start) }
        .map { String($0.dropFirst(start.count)) }.sorted()
    }
  }

  func openForReading(_ path: String) throws(StorageError) -> any File {
    guard state.withLock({ $0.files[path] != nil }) else {
      throw StorageError(operation: .open, path: path, code: ENOENT)
    }
    return SmallDiskFile(path, self)
  }

  func openForAppending(_ path: String) throws(StorageError) -> any File {
    if state.withLock({ $0.files[path] == nil }) {
      try takeName(.open, path)
      state.withLock { $0.files[path] = [] }
    }
    return SmallDiskFile(path, self)
  }

  func rename(_ path: String, to newPath: String) throws(StorageError) {
    try takeName(.rename, path)
    state.withLock { $0.files[newPath] = $0.files.removeValue(forKey: path) }
  }

  func remove(_ path: String) throws(StorageError) {
    try takeName(.remove, path)
    state.withLock {
      $0.files[path] = nil
      $0.links[path] = nil
    }
  }

  func createLink(_ path: String, target: String) throws(StorageError) {
    try takeName(.link, path)
    try state.withLock { state throws(StorageError) in
      if state.links[path] != nil { throw StorageError(operation: .link, path: path, code: EEXIST) }
      state.links[path] = target
    }
  }

  func linkTarget(_ path: String) throws(StorageError) -> String { state.withLock { $0.links[path] ?? "" } }

  func syncDirectory(_ path: String) throws(StorageError) { try sync(.syncDirectory, path) }

  func freeBytes(_ path: String) throws(StorageError) -> Int { state.withLock { $0.freeBytes } }

  func lock(_ path: String) throws(StorageError) -> any FileLock {
    try takeName(.lock, path)
    return SmallDiskLock()
  }

  fileprivate func sync(_ operation: StorageError.Operation, _ path: String) throws(StorageError) {
    if let code = state.withLock({ $0.syncCode }) {
      throw StorageError(operation: operation, path: path, code: code)
    }
  }

  private func takeName(_ operation: StorageError.Operation, _ path: String) throws(StorageError) {
    try state.withLock { state throws(StorageError) in
      if state.freeNames == 0 {
        throw StorageError(operation: operation, path: path, code: state.fullCode)
      }
      state.freeNames -= 1
    }
  }
}

private final class SmallDiskFile: File {
  let path: String
  private let disk: SmallDisk

  init(_ path: String, _ disk: SmallDisk) {
    self.path = path
    self.disk = disk
  }

  private var bytes: [UInt8] { disk.state.withLock { $0.files[path] ?? [] } }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) -> Int {
    let found = bytes.dropFirst(offset).prefix(buffer.count)
    buffer.copyBytes(from: found)
    return found.count
  }

  func append(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    let new = Array(bytes)
    try disk.state.withLock { state throws(StorageError) in
      state.appends.append(new.count)
      let fitting = new.prefix(state.freeBytes)
      state.freeBytes -= fitting.count
      state.files[path, default: []] += fitting
      guard fitting.count < new.count else { return }
      throw StorageError(
        operation: .write, path: path, offset: state.files[path]?.count, code: state.fullCode)
    }
  }

  func size() -> Int { bytes.count }

  func truncate(to size: Int) { disk.state.withLock { $0.files[path]?.removeSubrange(size...) } }

  func syncData() throws(StorageError) { try disk.sync(.sync, path) }

  func sync() throws(StorageError) { try disk.sync(.sync, path) }
}

private final class SmallDiskLock: FileLock {
  func unlock() {}
}
