import Glibc
import Storage
import Synchronization

/// The local file system, whose operations on files fail on request and are written down in order.
final class FaultyFileSystem: FileSystem {
  private struct State {
    var failing: StorageError.Operation?
    var log: [String] = []
  }

  private let local = LocalFileSystem()
  private let state = Mutex(State())

  /// Lets every following `operation` on a file or folder fail with EIO; nil heals the disk.
  func fail(_ operation: StorageError.Operation?) {
    state.withLock { $0.failing = operation }
  }

  /// What was written and synced since the last call, as "write name" and so on.
  func takeLog() -> [String] {
    state.withLock { state in
      defer { state.log = [] }
      return state.log
    }
  }

  fileprivate func note(_ operation: StorageError.Operation, _ path: String) throws(StorageError) {
    let fails = state.withLock { state in
      state.log.append("\(operation.rawValue) \(path.split(separator: "/").last ?? "/")")
      return state.failing == operation
    }
    if fails { throw StorageError(operation: operation, path: path, code: EIO) }
  }

  func createDirectories(_ path: String) throws(StorageError) { try local.createDirectories(path) }
  func list(_ directory: String) throws(StorageError) -> [String] { try local.list(directory) }
  func openForReading(_ path: String) throws(StorageError) -> any File {
    FaultyFile(try local.openForReading(path), self)
  }
  func openForAppending(_ path: String) throws(StorageError) -> any File {
    FaultyFile(try local.openForAppending(path), self)
  }
  func rename(_ path: String, to newPath: String) throws(StorageError) {
    try note(.rename, newPath)
    try local.rename(path, to: newPath)
  }
  func remove(_ path: String) throws(StorageError) {
    try note(.remove, path)
    try local.remove(path)
  }
  func createLink(_ path: String, target: String) throws(StorageError) {
    try local.createLink(path, target: target)
  }
  func linkTarget(_ path: String) throws(StorageError) -> String { try local.linkTarget(path) }
  func syncDirectory(_ path: String) throws(StorageError) {
    try note(.syncDirectory, path)
    try local.syncDirectory(path)
  }
  func freeBytes(_ path: String) throws(StorageError) -> Int { try local.freeBytes(path) }
  func lock(_ path: String) throws(StorageError) -> any FileLock { try local.lock(path) }
}

private final class FaultyFile: File {
  private let file: any File
  private let owner: FaultyFileSystem

  init(_ file: any File, _ owner: FaultyFileSystem) {
    self.file = file
    self.owner = owner
  }

  var path: String { file.path }
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(StorageError) -> Int {
    try file.read(into: buffer, at: offset)
  }
  func append(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    try owner.note(.write, path)
    try file.append(bytes)
  }
  func size() throws(StorageError) -> Int { try file.size() }
  func truncate(to size: Int) throws(StorageError) { try file.truncate(to: size) }
  func syncData() throws(StorageError) {
    try owner.note(.sync, path)
    try file.syncData()
  }
  func sync() throws(StorageError) {
    try owner.note(.sync, path)
    try file.sync()
  }
}
