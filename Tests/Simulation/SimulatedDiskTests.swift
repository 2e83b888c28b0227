import Glibc
import Storage
import TestSupport
import Testing

/// What the simulated disk keeps and what it may lose.
@Suite struct SimulatedDiskTests {
  private let disk = SimulatedDisk(seed: 1)
  private var process: SimulatedProcess { SimulatedProcess(on: disk) }

  private static let text = Array("0123456789".utf8)

  /// A file with a durable name and durable bytes.
  private func durableFile(_ path: String, _ bytes: [UInt8] = text) throws -> any File {
    let process = process
    try process.createDirectories("/d")
    let file = try process.openForAppending(path)
    try file.append(bytes)
    try file.syncData()
    try process.syncDirectory("/d")
    return file
  }

  /// What is left of `/d` after each of many crashes of the machine, each after the same `work`.
  private func names(afterCrashes count: Int = 200, _ work: (SimulatedProcess) throws -> Void) throws
    -> Set<[String]>
  {
    var seen: Set<[String]> = []
    for number in 0..<UInt64(count) {
      let disk = SimulatedDisk(seed: number)
      let process = SimulatedProcess(on: disk)
      try process.createDirectories("/d")
      try work(process)
      disk.crash()
      seen.insert(try SimulatedProcess(on: disk).list("/d"))
    }
    return seen
  }

  // MARK: Bytes

  @Test func `What was synced, under a name that was synced, survives everything`() throws {
    let seed = testSeed()
    for number in 0..<UInt64(200) {
      let disk = SimulatedDisk(seed: seed &+ number)
      let process = SimulatedProcess(on: disk)
      try process.createDirectories("/d")
      let file = try process.openForAppending("/d/a")
      try file.append(Self.text)
      try file.syncData()
      try process.syncDirectory("/d")
      try file.append(Self.text)
      disk.crash()
      let left = try SimulatedProcess(on: disk).readFile("/d/a")
      #expect(left.starts(with: Self.text) && left.count <= 20)
    }
  }

  @Test func `Of what was not synced the machine keeps nothing, a part, all, or holes`() throws {
    var lengths: Set<Int> = []
    var holes = 0
    for number in 0..<UInt64(500) {
      let disk = SimulatedDisk(seed: number)
      let process = SimulatedProcess(on: disk)
      try process.createDirectories("/d")
      let file = try process.openForAppending("/d/a")
      try process.syncDirectory("/d")
      let bytes = [UInt8](repeating: 7, count: 2000)
      try file.append(bytes)
      disk.crash()
      let left = try SimulatedProcess(on: disk).readFile("/d/a")
      lengths.insert(left.count)
      let isWhole = (0..<3).map { sector in left.dropFirst(sector * 512).prefix(512).allSatisfy { $0 == 7 } }
      if isWhole == [false, true, false] || isWhole == [true, false, true] { holes += 1 }
    }
    #expect(lengths.contains(0) && lengths.contains(2000) && lengths.count > 50)
    #expect(holes > 0, "sectors are lost each for itself")
  }

  @Test func `A crash of a process loses nothing that was written`() throws {
    let file = try durableFile("/d/a")
    try file.append(Self.text)
    process.kill()
    #expect(try process.readFile("/d/a") == Self.text + Self.text)
  }

  @Test func `A cut that was not synced may be undone`() throws {
    var left: Set<Int> = []
    for number in 0..<UInt64(50) {
      let disk = SimulatedDisk(seed: number)
      let process = SimulatedProcess(on: disk)
      let file = try process.openForAppending("/a")
      try process.syncDirectory("/")
      try file.append(Self.text)
      try file.sync()
      try file.truncate(to: 3)
      disk.crash()
      left.insert(try SimulatedProcess(on: disk).readFile("/a").count)
    }
    #expect(left == [3, 10])
  }

  @Test func `After a failed sync a later one may succeed and yet keep nothing`() throws {
    var outcomes: Set<[UInt8]> = []
    for number in 0..<UInt64(50) {
      let disk = SimulatedDisk(seed: number)
      let process = SimulatedProcess(on: disk)
      let file = try process.openForAppending("/a")
      try process.syncDirectory("/")
      try file.append([1])
      disk.faults[disk.mutations + 1] = .failure
      #expect(throws: StorageError(operation: .sync, path: "/a", offset: 1, code: EIO)) {
        try file.syncData()
      }
      try file.syncData()
      disk.crash()
      outcomes.insert(try SimulatedProcess(on: disk).readFile("/a"))
    }
    #expect(outcomes == [[0], [1]])
  }

  // MARK: Names

  @Test func `A name that was not synced may vanish with all that was synced under it`() throws {
    let seen = try names { process in
      let file = try process.openForAppending("/d/a")
      try file.append(Self.text)
      try file.sync()
    }
    #expect(seen == [[], ["a"]])
  }

  @Test func `A rename never loses both names, and may be undone`() throws {
    let seen = try names { process in
      _ = try process.openForAppending("/d/a")
      _ = try process.openForAppending("/d/b")
      try process.syncDirectory("/d")
      try process.rename("/d/a", to: "/d/b")
    }
    #expect(seen == [["a", "b"], ["b"]])
  }

  @Test func `Of several changes to a folder any may survive without the others`() throws {
    let seen = try names { process in
      for name in ["a", "b"] { _ = try process.openForAppending("/d/\(name)") }
    }
    #expect(seen == [[], ["a"], ["b"], ["a", "b"]])
  }

  @Test func `A removed file may be back with its bytes`() throws {
    _ = try durableFile("/d/a")
    let dead = process
    try dead.remove("/d/a")
    disk.crash(losingAll: true)
    #expect(try process.readFile("/d/a") == Self.text)
  }

  @Test func `A folder whose name was not synced takes its files along`() throws {
    let process = process
    // The sync of the root is the second mutation.
    disk.faults[2] = .crashBefore
    #expect(throws: StorageError.self) { try process.createDirectories("/d") }
    let file = try self.process.openForAppending("/d/a")
    try file.sync()
    try self.process.syncDirectory("/d")
    disk.crash(losingAll: true)
    #expect(throws: StorageError(operation: .list, path: "/d", code: ENOENT)) { try self.process.list("/d") }
  }

  // MARK: Faults

  @Test func `A dead process cannot write, and the next one goes on with what is there`() throws {
    let first = process
    let file = try first.openForAppending("/a")
    disk.faults[disk.mutations + 1] = .crashWithin
    #expect(throws: StorageError(operation: .write, path: "/a", code: SimulatedDisk.deadCode)) {
      try file.append(Self.text)
    }
    #expect(first.isDead)
    #expect(throws: StorageError.self) { try file.append(Self.text) }
    #expect(throws: StorageError.self) { try first.list("/") }
    let left = try process.readFile("/a")
    #expect(Self.text.starts(with: left))
  }

  @Test func `A crash before an operation leaves all as it was`() throws {
    let first = process
    let file = try first.openForAppending("/a")
    disk.faults[disk.mutations + 1] = .crashBefore
    #expect(throws: StorageError.self) { try file.append(Self.text) }
    #expect(try process.readFile("/a") == [])
  }

  @Test func `A full disk takes what fits`() throws {
    let file = try process.openForAppending("/a")
    disk.capacityBytes = 4
    #expect(throws: StorageError(operation: .write, path: "/a", offset: 4, code: ENOSPC)) {
      try file.append(Self.text)
    }
    #expect(try process.readFile("/a") == Array("0123".utf8))
    #expect(try process.freeBytes("/") == 0)
    #expect(throws: StorageError(operation: .open, path: "/b", code: ENOSPC)) {
      try process.openForAppending("/b")
    }
    try file.truncate(to: 0)
    #expect(try process.freeBytes("/") == 4)
    try process.remove("/a")
    #expect(try process.freeBytes("/") == 4)
  }

  @Test func `Readers of another process are spared`() throws {
    _ = try durableFile("/d/a")
    let reader = SimulatedProcess(on: disk, suffersFaults: false)
    let before = disk.mutations
    disk.readsUntilFailure = 0
    #expect(try reader.readFile("/d/a") == Self.text)
    #expect(disk.mutations == before)
    #expect(throws: StorageError.self) { try process.readFile("/d/a") }
    #expect(try process.readFile("/d/a") == Self.text, "it fails once")
  }

  @Test func `A lock keeps others out until it is given back or its holder dies`() throws {
    let (first, second, third) = (process, process, process)
    let lock = try first.lock("/lock")
    #expect(throws: StorageError(operation: .lock, path: "/lock", code: EWOULDBLOCK)) {
      try second.lock("/lock")
    }
    lock.unlock()
    _ = try second.lock("/lock")
    second.kill()
    _ = try third.lock("/lock")
  }

  // MARK: Append-only

  @Test func `Rows that are cut without need are a violation`() throws {
    let file = try durableFile("/d/0.ndjson")
    try file.truncate(to: 4)
    #expect(disk.violations == ["/d/0.ndjson was cut by 6 bytes to 4"])
  }

  @Test func `What a dead machine left torn may be cut, but not what was synced before or after`() throws {
    let file = try durableFile("/d/0.ndjson")
    // Until a crash keeps some of it.
    repeat {
      try process.openForAppending("/d/0.ndjson").append(Self.text)
      disk.crash()
    } while try process.readFile("/d/0.ndjson").count == 10
    _ = file
    let length = try process.readFile("/d/0.ndjson").count
    let reopened = try process.openForAppending("/d/0.ndjson")
    try reopened.truncate(to: length - 1)
    #expect(disk.violations == [])
    try reopened.sync()
    try reopened.truncate(to: 9)
    #expect(disk.violations.count == 1)
  }

  @Test func `Rows that are renamed, replaced or removed are a violation`() throws {
    _ = try durableFile("/d/0.ndjson")
    _ = try durableFile("/d/1.ndjson")
    try process.rename("/d/0.ndjson", to: "/d/1.ndjson")
    try process.remove("/d/1.ndjson")
    #expect(disk.violations.count == 3)
  }

  @Test func `The same seed gives the same crash`() throws {
    var left: [[UInt8]] = []
    for _ in 0..<2 {
      let disk = SimulatedDisk(seed: 11)
      let process = SimulatedProcess(on: disk)
      for name in ["/a", "/b", "/c"] {
        try process.openForAppending(name).append([UInt8](repeating: 1, count: 3000))
      }
      try process.syncDirectory("/")
      disk.crash()
      left.append(try ["/a", "/b", "/c"].flatMap { try SimulatedProcess(on: disk).readFile($0) })
    }
    #expect(left[0] == left[1])
  }
}
