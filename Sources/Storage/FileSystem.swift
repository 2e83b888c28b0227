// The seam between stepgate and a disk. Everything that outlives the process goes through these two
// protocols, so that a simulated disk can stand in: one that loses what was not synced, runs full, or
// fails a read.
//
// What a disk is trusted with, and no more:
// - the bytes of a file survive a power loss once `syncData` or `sync` has returned;
// - the name of a file (its creation, renaming, removal) survives once `syncDirectory` has returned;
// - `rename` is atomic: a reader sees the old file or the new one;
// - a process that dies loses nothing that it has written; a machine that dies may lose or keep any part
//   of what was not synced.
//
// Offsets and sizes are bytes. Paths are as the kernel takes them.

/// A file system. Sendable: it holds no open file; the files it opens belong to who opened them.
public protocol FileSystem: Sendable {
  /// Creates the folder and those above it that are missing, durably, for their owner and group. An existing folder is
  /// no error, and keeps its mode.
  func createDirectories(_ path: String) throws(StorageError)

  /// As `createDirectories`, and if it creates the last folder, then for its owner alone. A folder that exists
  /// keeps its mode: who opened it to others meant to. (By default, for file systems that know no owners, an
  /// ordinary folder.)
  func createPrivateDirectory(_ path: String) throws(StorageError)

  /// The names in a folder, sorted, without `.` and `..`.
  func list(_ directory: String) throws(StorageError) -> [String]

  /// Opens an existing file for reading.
  func openForReading(_ path: String) throws(StorageError) -> any File

  /// Opens a file for reading and appending, and creates it empty, for its owner and group, if it does not
  /// exist. The name of a created file is durable only after `syncDirectory`.
  func openForAppending(_ path: String) throws(StorageError) -> any File

  /// Atomically gives a file another name, replacing the file that had it.
  func rename(_ path: String, to newPath: String) throws(StorageError)

  /// Removes a file or a symbolic link.
  func remove(_ path: String) throws(StorageError)

  /// Creates a symbolic link with `target` as its text. An existing `path` is an error.
  func createLink(_ path: String, target: String) throws(StorageError)

  /// The text of a symbolic link.
  func linkTarget(_ path: String) throws(StorageError) -> String

  /// Makes durable which names the folder holds.
  func syncDirectory(_ path: String) throws(StorageError)

  /// The bytes that an unprivileged process may still write to the volume of `path`.
  func freeBytes(_ path: String) throws(StorageError) -> Int

  /// Takes the lock at `path`, creating the file, and writes this process's id into it. Does not wait:
  /// a lock that is held is an error that names the holder. The kernel drops the lock with the process.
  func lock(_ path: String) throws(StorageError) -> any FileLock
}

/// An open file, closed with its last reference. One thread at a time.
public protocol File: AnyObject {
  var path: String { get }

  /// Fills `buffer` from the file's bytes at `offset`, and returns how many there were: fewer than asked
  /// for only at the file's end.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(StorageError) -> Int

  /// Writes all of `bytes` at the file's end. After an error any part of them may have been written.
  func append(_ bytes: UnsafeRawBufferPointer) throws(StorageError)

  func size() throws(StorageError) -> Int

  /// Cuts the file to `size` bytes.
  func truncate(to size: Int) throws(StorageError)

  /// Makes the file's bytes, and the size needed to read them, durable. After an error it is unknown
  /// which are, and a second call would not tell: the kernel reports a lost page once.
  func syncData() throws(StorageError)

  /// As `syncData`, with all of the file's metadata.
  func sync() throws(StorageError)
}

/// A lock that is held until `unlock`, or until the process ends.
public protocol FileLock: AnyObject {
  func unlock()
}

extension File {
  /// Writes all of `bytes` at the file's end. For small things; rows and entries come as buffers.
  public func append(_ bytes: [UInt8]) throws(StorageError) {
    try bytes.span.bytes.withUnsafeBytes { bytes throws(StorageError) in try append(bytes) }
  }
}

extension FileSystem {
  public func createPrivateDirectory(_ path: String) throws(StorageError) { try createDirectories(path) }

  /// All of a file's bytes.
  public func readFile(_ path: String) throws(StorageError) -> [UInt8] {
    let file = try openForReading(path)
    var bytes = [UInt8](repeating: 0, count: try file.size())
    let count = try bytes.withUnsafeMutableBufferPointer { buffer throws(StorageError) in
      try file.read(into: UnsafeMutableRawBufferPointer(buffer), at: 0)
    }
    bytes.removeLast(bytes.count - count)
    return bytes
  }

  /// Writes a file so that, whatever happens, its name shows the old bytes or the new ones, whole.
  /// Durable when it returns. Uses the hidden file `.<name>.tmp` beside it.
  public func writeFileAtomically(
    _ path: String, _ bytes: UnsafeRawBufferPointer
  ) throws(StorageError) {
    let temporary = temporaryPath(for: path)
    let file = try openForAppending(temporary)
    try file.truncate(to: 0)
    try file.append(bytes)
    try file.sync()
    try rename(temporary, to: path)
    try syncDirectory(parentDirectory(of: path))
  }

  /// Makes `path` a symbolic link to `target`, replacing what had that name; readers see the old link or
  /// the new one. Durable after `syncDirectory`. Uses the hidden name `.<name>.tmp` beside it.
  public func replaceLink(_ path: String, target: String) throws(StorageError) {
    let temporary = temporaryPath(for: path)
    do {
      try remove(temporary)
    } catch {
      if !error.isNotFound { throw error }
    }
    try createLink(temporary, target: target)
    try rename(temporary, to: path)
  }
}
