// A file system in memory, for tests that open thousands of tables: a real one would spend its time in
// fsync. It never fails but where a real one would say ENOENT or EEXIST.

import Glibc
import Storage

/// Files, folders and links by path. One thread at a time.
public final class MemoryFileSystem: FileSystem, @unchecked Sendable {
  private enum Node {
    case directory
    case file(MemoryFile)
    case link(String)
  }
  private var nodes: [String: Node] = [:]

  public init() {}

  public func createDirectories(_ path: String) {
    nodes[path] = .directory
  }

  public func list(_ directory: String) throws(StorageError) -> [String] {
    guard case .directory = nodes[directory] else { throw error(.list, directory, ENOENT) }
    let start = directory + "/"
    return nodes.keys.filter { $0.hasPrefix(start) && !$0.dropFirst(start.count).contains("/") }
      .map { String($0.dropFirst(start.count)) }.sorted()
  }

  public func openForReading(_ path: String) throws(StorageError) -> any File {
    guard case .file(let file) = nodes[path] else { throw error(.open, path, ENOENT) }
    return file
  }

  public func openForAppending(_ path: String) -> any File {
    if case .file(let file) = nodes[path] { return file }
    let file = MemoryFile(path: path)
    nodes[path] = .file(file)
    return file
  }

  public func rename(_ path: String, to newPath: String) throws(StorageError) {
    guard let node = nodes.removeValue(forKey: path) else { throw error(.rename, path, ENOENT) }
    nodes[newPath] = node
  }

  public func remove(_ path: String) throws(StorageError) {
    if nodes.removeValue(forKey: path) == nil { throw error(.remove, path, ENOENT) }
  }

  public func createLink(_ path: String, target: String) throws(StorageError) {
    if nodes[path] != nil { throw error(.link, path, EEXIST) }
    nodes[path] = .link(target)
  }

  public func linkTarget(_ path: String) throws(StorageError) -> String {
    guard case .link(let target) = nodes[path] else { throw error(.readLink, path, ENOENT) }
    return target
  }

  public func syncDirectory(_ path: String) {}

  public func freeBytes(_ path: String) -> Int { 1 << 40 }

  public func lock(_ path: String) -> any FileLock { MemoryFileLock() }

  private func error(_ operation: StorageError.Operation, _ path: String, _ code: CInt) -> StorageError {
    StorageError(operation: operation, path: path, code: code)
  }
}

private final class MemoryFile: File {
  let path: String
  private var bytes: [UInt8] = []

  init(path: String) { self.path = path }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) -> Int {
    guard offset < bytes.count else { return 0 }
    let count = min(buffer.count, bytes.count - offset)
    buffer.copyBytes(from: bytes[offset..<offset + count])
    return count
  }

  func append(_ bytes: UnsafeRawBufferPointer) { self.bytes.append(contentsOf: bytes) }

  func size() -> Int { bytes.count }

  func truncate(to size: Int) { bytes.removeLast(bytes.count - size) }

  func syncData() {}

  func sync() {}
}

private final class MemoryFileLock: FileLock {
  func unlock() {}
}
