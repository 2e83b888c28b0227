import Storage
import TestSupport
import Testing

/// What the simulated disk does to a file's bytes over several deaths and errors.
@Suite struct SimulatedContentTests {
  @Test func `What several dead machines left torn may be cut until it is synced`() throws {
    for seed in 0..<UInt64(50) {
      let disk = SimulatedDisk(seed: seed)
      let process = SimulatedProcess(on: disk)
      let file = try process.openForAppending("/0.ndjson")
      try process.syncDirectory("/")
      try file.append(Array("0123456789".utf8))
      disk.crash()
      disk.crash()
      try SimulatedProcess(on: disk).openForAppending("/0.ndjson").truncate(to: 0)
      #expect(disk.violations == [])
      try file.append([1, 2])
      try file.sync()
      try file.truncate(to: 1)
      #expect(disk.violations.count == 1)
    }
  }

  @Test func `What a sync of a table failed to write, the next one writes`() throws {
    for name in ["/0.ndjson", "/.0.checksums"] {
      for seed in 0..<UInt64(50) {
        let disk = SimulatedDisk(seed: seed)
        let process = SimulatedProcess(on: disk)
        let file = try process.openForAppending(name)
        try process.syncDirectory("/")
        try file.append([1])
        disk.faults[disk.mutations + 1] = .failure
        #expect(throws: StorageError.self) { try file.sync() }
        try file.sync()
        disk.crash()
        #expect(try SimulatedProcess(on: disk).readFile(name) == [1])
      }
    }
  }

  @Test func `Creating a folder that is there makes its name durable`() throws {
    let disk = SimulatedDisk(seed: 1)
    let process = SimulatedProcess(on: disk)
    // The sync of the root fails, not the creation.
    disk.faults[2] = .failure
    #expect(throws: StorageError.self) { try process.createDirectories("/d") }
    try process.createDirectories("/d")
    disk.crash(losingAll: true)
    #expect(try SimulatedProcess(on: disk).list("/") == ["d"])
  }

  @Test func `A fault is told of, and strikes once`() throws {
    let disk = SimulatedDisk(seed: 1)
    let process = SimulatedProcess(on: disk)
    var told: [String] = []
    disk.whenFaultStrikes = { fault, operation, path in told.append("\(fault) \(operation.rawValue) \(path)")
    }
    let file = try process.openForAppending("/a")
    disk.faults = [disk.mutations + 1: .failure]
    #expect(throws: StorageError.self) { try file.append([1]) }
    #expect(disk.faults == [:])
    disk.readsUntilFailure = 0
    #expect(throws: StorageError.self) { try process.readFile("/a") }
    #expect(told == ["failure write /a", "readFailure read /a"])
  }
}
