import Glibc
import Storage
import TestSupport

/// A disk in memory that writes down what is changed on it, and can stop before any change, as if the process
/// died there. One thread at a time.
final class WatchedDisk: FileSystem, @unchecked Sendable {
  let memory: MemoryFileSystem
  private var changes: [String] = []
  /// The changes that are still made; then every one is refused.
  private var changesLeft = Int.max

  init(_ memory: MemoryFileSystem) { self.memory = memory }

  /// How often it was asked for something that changes nothing; a list counts as many times as it has names.
  private(set) var looks = 0

  fileprivate func look(_ count: Int = 1) { looks += count }

  func stop(afterChanges count: Int) { changesLeft = count }

  /// What was changed since the last call: "write name 12", "cut name 3", "rename a to b" and so on.
  func takeChanges() -> [String] {
    defer { changes = [] }
    return changes
  }

  fileprivate func change(_ what: String) throws(StorageError) {
    guard changesLeft > 0 else { throw StorageError(operation: .write, path: what, code: EIO) }
    changesLeft -= 1
    changes.append(what)
  }

  func createDirectories(_ path: String) { memory.createDirectories(path) }
  func list(_ directory: String) throws(StorageError) -> [String] {
    let names = try memory.list(directory)
    look(1 + names.count)
    return names
  }
  func openForReading(_ path: String) throws(StorageError) -> any File {
    look()
    return WatchedFile(try memory.openForReading(path), self, path)
  }
  func openForAppending(_ path: String) throws(StorageError) -> any File {
    if (try? memory.openForReading(path)) == nil { try change("create \(name(path))") }
    return WatchedFile(memory.openForAppending(path), self, path)
  }
  func rename(_ path: String, to newPath: String) throws(StorageError) {
    try change("rename \(name(path)) to \(name(newPath))")
    try memory.rename(path, to: newPath)
  }
  func remove(_ path: String) throws(StorageError) {
    try change("remove \(name(path))")
    try memory.remove(path)
  }
  func createLink(_ path: String, target: String) throws(StorageError) {
    try change("link \(name(path))")
    try memory.createLink(path, target: target)
  }
  func linkTarget(_ path: String) throws(StorageError) -> String {
    look()
    return try memory.linkTarget(path)
  }
  func syncDirectory(_ path: String) throws(StorageError) { try change("sync folder") }
  func freeBytes(_ path: String) -> Int { memory.freeBytes(path) }
  func lock(_ path: String) -> any FileLock { memory.lock(path) }
}

private func name(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

private final class WatchedFile: File {
  let path: String
  private let file: any File
  private let owner: WatchedDisk

  init(_ file: any File, _ owner: WatchedDisk, _ path: String) {
    self.file = file
    self.owner = owner
    self.path = path
  }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(StorageError) -> Int {
    owner.look()
    return try file.read(into: buffer, at: offset)
  }
  func append(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    try owner.change("write \(name(path)) \(bytes.count)")
    try file.append(bytes)
  }
  func size() throws(StorageError) -> Int { try file.size() }
  func truncate(to size: Int) throws(StorageError) {
    try owner.change("cut \(name(path)) \(size)")
    try file.truncate(to: size)
  }
  func syncData() throws(StorageError) { try owner.change("sync \(name(path))") }
  func sync() throws(StorageError) { try owner.change("sync \(name(path))") }
}
