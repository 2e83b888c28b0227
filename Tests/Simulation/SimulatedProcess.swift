// A process on the simulated machine: the disk as it sees it, until it dies.
//
// Invariants:
// - A dead process changes nothing: each of its operations, also on files it has open, throws `deadCode`.
// - Faults hit only a process that is made to suffer them: the gateway, not the readers of its tables.

import Glibc
import Storage

/// A file system of the simulated disk.
// One thread runs the whole simulation.
final class SimulatedProcess: FileSystem, @unchecked Sendable {
  let disk: SimulatedDisk
  let suffersFaults: Bool
  private(set) var isDead = false
  private static let linkDepth = 8

  init(on disk: SimulatedDisk, suffersFaults: Bool = true) {
    self.disk = disk
    self.suffersFaults = suffersFaults
  }

  /// Ends the process, as `kill -9` would.
  func kill() { isDead = true }

  // MARK: Faults

  func requireAlive(_ operation: StorageError.Operation, _ path: String) throws(StorageError) {
    if isDead { throw error(operation, path, SimulatedDisk.deadCode) }
  }

  /// Does `work`, which changes something, unless a fault strikes.
  private func mutate(
    _ operation: StorageError.Operation, _ path: String, _ work: () throws(StorageError) -> Void
  ) throws(StorageError) {
    try requireAlive(operation, path)
    let fault = disk.beginMutation(operation, path, of: self)
    if fault == .failure { throw error(operation, path, EIO) }
    if fault != .crashBefore { try work() }
    if fault != nil {
      kill()
      try requireAlive(operation, path)
    }
  }

  func error(_ operation: StorageError.Operation, _ path: String, _ code: CInt) -> StorageError {
    StorageError(operation: operation, path: path, code: code)
  }

  // MARK: Names

  func createDirectories(_ path: String) throws(StorageError) {
    try requireAlive(.createDirectory, path)
    let parent = split(path).folder
    // As LocalFileSystem: whoever made the folder may have ended before its name was durable.
    if disk.folder(path) != nil { return path == "/" ? () : try syncDirectory(parent) }
    try createDirectories(parent)
    try mutate(.createDirectory, path) { () throws(StorageError) in
      if disk.node(path) != nil { throw error(.createDirectory, path, EEXIST) }
      try requireRoom(.createDirectory, path)
      disk.change([(path, .folder(SimulatedFolder()))])
    }
    try syncDirectory(parent)
  }

  func list(_ directory: String) throws(StorageError) -> [String] {
    try requireAlive(.list, directory)
    guard let folder = disk.folder(directory) else { throw error(.list, directory, ENOENT) }
    return folder.entries.keys.sorted()
  }

  func openForReading(_ path: String) throws(StorageError) -> any File {
    try requireAlive(.open, path)
    return SimulatedFile(path: path, content: try content(path, linksToFollow: Self.linkDepth), process: self)
  }

  private func content(_ path: String, linksToFollow: Int) throws(StorageError) -> SimulatedContent {
    switch disk.node(path) {
    case .file(let content): return content
    case .folder: throw error(.open, path, EISDIR)
    case .link(let target) where linksToFollow > 0:
      let absolute = target.hasPrefix("/") ? target : "\(split(path).folder)/\(target)"
      return try content(absolute, linksToFollow: linksToFollow - 1)
    case .link: throw error(.open, path, ELOOP)
    case nil: throw error(.open, path, ENOENT)
    }
  }

  func openForAppending(_ path: String) throws(StorageError) -> any File {
    try requireAlive(.open, path)
    if disk.node(path) == nil {
      try mutate(.open, path) { () throws(StorageError) in
        try requireFolder(.open, path)
        try requireRoom(.open, path)
        disk.change([(path, .file(SimulatedContent()))])
      }
    }
    return try openForReading(path)
  }

  func rename(_ path: String, to newPath: String) throws(StorageError) {
    try mutate(.rename, path) { () throws(StorageError) in
      guard let node = disk.node(path) else { throw error(.rename, path, ENOENT) }
      try requireFolder(.rename, newPath)
      blameIfRows(path, "was renamed")
      blameIfRows(newPath, "was replaced")
      disk.change([(path, nil), (newPath, node)])
    }
  }

  func remove(_ path: String) throws(StorageError) {
    try mutate(.remove, path) { () throws(StorageError) in
      if disk.node(path) == nil { throw error(.remove, path, ENOENT) }
      blameIfRows(path, "was removed")
      disk.change([(path, nil)])
    }
  }

  func createLink(_ path: String, target: String) throws(StorageError) {
    try mutate(.link, path) { () throws(StorageError) in
      try requireFolder(.link, path)
      if disk.node(path) != nil { throw error(.link, path, EEXIST) }
      try requireRoom(.link, path)
      disk.change([(path, .link(target))])
    }
  }

  func linkTarget(_ path: String) throws(StorageError) -> String {
    try requireAlive(.readLink, path)
    switch disk.node(path) {
    case .link(let target): return target
    case nil: throw error(.readLink, path, ENOENT)
    default: throw error(.readLink, path, EINVAL)
    }
  }

  func syncDirectory(_ path: String) throws(StorageError) {
    try mutate(.syncDirectory, path) { () throws(StorageError) in
      guard let folder = disk.folder(path) else { throw error(.syncDirectory, path, ENOENT) }
      disk.whileSyncing()
      try requireAlive(.syncDirectory, path)
      disk.syncNames(of: folder)
    }
  }

  func freeBytes(_ path: String) throws(StorageError) -> Int {
    try requireAlive(.freeBytes, path)
    return disk.freeBytes
  }

  func lock(_ path: String) throws(StorageError) -> any FileLock {
    _ = try openForAppending(path)
    if let holder = disk.lockHolders[path], !holder.isDead { throw error(.lock, path, EWOULDBLOCK) }
    disk.lockHolders[path] = self
    return SimulatedLock(path: path, process: self)
  }

  private func requireFolder(_ operation: StorageError.Operation, _ path: String) throws(StorageError) {
    if disk.folder(split(path).folder) == nil { throw error(operation, path, ENOENT) }
  }

  // A name needs a block too, sometimes.
  private func requireRoom(_ operation: StorageError.Operation, _ path: String) throws(StorageError) {
    if suffersFaults && disk.freeBytes == 0 { throw error(operation, path, ENOSPC) }
  }

  func blameIfRows(_ path: String, _ what: String) {
    guard path.hasSuffix(".ndjson"), let content = disk.content(path), !content.bytes.isEmpty else { return }
    disk.blame("\(path) \(what)")
  }
}

private final class SimulatedLock: FileLock {
  private let path: String
  private let process: SimulatedProcess

  init(path: String, process: SimulatedProcess) {
    self.path = path
    self.process = process
  }

  func unlock() {
    if process.disk.lockHolders[path] === process { process.disk.lockHolders[path] = nil }
  }
}

extension StorageError {
  /// The process that asked has died.
  var isDeath: Bool { code == SimulatedDisk.deadCode }
}
