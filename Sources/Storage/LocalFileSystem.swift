// The machine's file system. With SystemCall.swift and LocalFile.swift the only code that asks the
// kernel for anything on disk. What is made here is people's data: for owner and group alone, or for fewer, as the umask
// says. What is there keeps its mode.

import Glibc

/// The file system of the machine.
public struct LocalFileSystem: FileSystem {
  public init() {}

  public func createDirectories(_ path: String) throws(StorageError) {
    try createDirectories(path, mode: 0o750)
  }

  public func createPrivateDirectory(_ path: String) throws(StorageError) {
    try createDirectories(path, mode: 0o700)
  }

  private func createDirectories(_ path: String, mode: mode_t) throws(StorageError) {
    let parent = parentDirectory(of: path)
    if isDirectory(path) { return try syncNameOf(path, in: parent) }
    if parent != path { try createDirectories(parent) }
    do {
      _ = try systemCall(.createDirectory, path) { mkdir(path, mode) }
    } catch {
      // Another process may have been faster.
      guard error.code == EEXIST, isDirectory(path) else { throw error }
    }
    try syncDirectory(parent)
  }

  // Whoever made the folder may have ended before its name was durable. A parent that may not even be read, or
  // that knows no syncs, is none that this process makes folders in.
  private func syncNameOf(_ path: String, in parent: String) throws(StorageError) {
    do { try syncDirectory(parent) } catch { if error.code != EACCES && error.code != EINVAL { throw error } }
  }

  public func list(_ directory: String) throws(StorageError) -> [String] {
    guard let stream = opendir(directory) else {
      throw StorageError(operation: .list, path: directory, code: errno)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = readdir(stream) else { break }
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
    if errno != 0 { throw StorageError(operation: .list, path: directory, code: errno) }
    return names.sorted()
  }

  public func openForReading(_ path: String) throws(StorageError) -> any File {
    let descriptor = try systemCall(.open, path) { open(path, O_RDONLY | O_CLOEXEC) }
    return try LocalFile(path: path, descriptor: descriptor)
  }

  public func openForAppending(_ path: String) throws(StorageError) -> any File {
    let flags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC
    let descriptor = try systemCall(.open, path) { open(path, flags, 0o640) }
    return try LocalFile(path: path, descriptor: descriptor)
  }

  public func rename(_ path: String, to newPath: String) throws(StorageError) {
    _ = try systemCall(.rename, path) { Glibc.rename(path, newPath) }
  }

  public func remove(_ path: String) throws(StorageError) {
    _ = try systemCall(.remove, path) { unlink(path) }
  }

  public func createLink(_ path: String, target: String) throws(StorageError) {
    _ = try systemCall(.link, path) { symlink(target, path) }
  }

  public func linkTarget(_ path: String) throws(StorageError) -> String {
    var text = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = try systemCall(.readLink, path) { readlink(path, &text, text.count) }
    return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  public func syncDirectory(_ path: String) throws(StorageError) {
    let descriptor = try systemCall(.open, path) { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    defer { close(descriptor) }
    _ = try systemCall(.syncDirectory, path) { fsync(descriptor) }
  }

  public func freeBytes(_ path: String) throws(StorageError) -> Int {
    var volume = statvfs()
    _ = try systemCall(.freeBytes, path) { statvfs(path, &volume) }
    return Int(volume.f_bavail) * Int(volume.f_frsize)
  }

  public func lock(_ path: String) throws(StorageError) -> any FileLock {
    try LocalFileLock(path: path)
  }

  private func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}
