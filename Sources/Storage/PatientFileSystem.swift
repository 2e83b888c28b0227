// A file system that waits while the disk is full instead of failing: what had no room is done again when
// there is some, and who wrote it never knows. So a full disk makes the gateway stand still, and nothing
// else.
//
// Invariants:
// - bytes are written once: after an append that had no room the file's size tells how many of them are
//   there (a file has one writer), and only the others are appended again;
// - every other operation that is done again either did nothing when it failed (creating, renaming and
//   removing a name) or may be done twice (creating folders, cutting a file);
// - a sync is never repeated, whatever its reason: what it covered is unknown, and the next one would not
//   tell (see `File.syncData`).
//
// Reading needs no room, so files for reading and questions are passed on as they are. While nothing
// fails, an append costs one addition more than without.

/// Waits on a full volume or quota (`StorageError.isOutOfSpace`). All else is as `inner` does it.
public struct PatientFileSystem: FileSystem {
  private let inner: any FileSystem
  private let patience: Patience

  /// - Parameter waitForSpace: is called on the thread whose operation had no room, each time it had none,
  ///   with its error. Returns true when the operation shall be tried again, and false to give up: then the
  ///   operation throws that error. It decides how long to sleep; when it returns at once, the operation is
  ///   tried again at once.
  public init(_ inner: any FileSystem, waitForSpace: @escaping @Sendable (StorageError) -> Bool) {
    self.inner = inner
    patience = Patience(waitForSpace: waitForSpace)
  }

  public func createDirectories(_ path: String) throws(StorageError) {
    try patience.retry { () throws(StorageError) in try inner.createDirectories(path) }
  }

  public func createPrivateDirectory(_ path: String) throws(StorageError) {
    try patience.retry { () throws(StorageError) in try inner.createPrivateDirectory(path) }
  }

  public func openForAppending(_ path: String) throws(StorageError) -> any File {
    let file = try patience.retry { () throws(StorageError) in try inner.openForAppending(path) }
    return try PatientFile(file, patience)
  }

  public func rename(_ path: String, to newPath: String) throws(StorageError) {
    try patience.retry { () throws(StorageError) in try inner.rename(path, to: newPath) }
  }

  public func remove(_ path: String) throws(StorageError) {
    // A file system that never overwrites needs room for that, too.
    try patience.retry { () throws(StorageError) in try inner.remove(path) }
  }

  public func createLink(_ path: String, target: String) throws(StorageError) {
    try patience.retry { () throws(StorageError) in try inner.createLink(path, target: target) }
  }

  public func lock(_ path: String) throws(StorageError) -> any FileLock {
    try patience.retry { () throws(StorageError) in try inner.lock(path) }
  }

  public func syncDirectory(_ path: String) throws(StorageError) { try inner.syncDirectory(path) }

  public func list(_ directory: String) throws(StorageError) -> [String] { try inner.list(directory) }

  public func openForReading(_ path: String) throws(StorageError) -> any File {
    try inner.openForReading(path)
  }

  public func linkTarget(_ path: String) throws(StorageError) -> String { try inner.linkTarget(path) }

  public func freeBytes(_ path: String) throws(StorageError) -> Int { try inner.freeBytes(path) }
}

private struct Patience: Sendable {
  let waitForSpace: @Sendable (StorageError) -> Bool

  /// Repeats `operation`, which has done nothing or may be done again, until it has had room.
  func retry<Result>(
    _ operation: () throws(StorageError) -> Result
  ) throws(StorageError) -> Result {
    while true {
      do throws(StorageError) {
        return try operation()
      } catch {
        try wait(after: error)
      }
    }
  }

  /// Returns when the operation is to be tried again; throws its error where that does not help.
  func wait(after error: StorageError) throws(StorageError) {
    let isSync = error.operation == .sync || error.operation == .syncDirectory
    guard error.isOutOfSpace, !isSync, waitForSpace(error) else { throw error }
  }
}

private final class PatientFile: File {
  private let inner: any File
  private let patience: Patience
  /// The file's size, as long as nothing fails.
  private var endByte: Int

  init(_ inner: any File, _ patience: Patience) throws(StorageError) {
    self.inner = inner
    self.patience = patience
    endByte = try inner.size()
  }

  var path: String { inner.path }

  func append(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    var rest = bytes
    while true {
      do throws(StorageError) {
        try inner.append(rest)
        endByte += rest.count
        return
      } catch {
        rest = try unwritten(of: rest, after: error)
        try patience.wait(after: error)
      }
    }
  }

  /// What of `bytes` is not in the file after an append that failed.
  private func unwritten(
    of bytes: UnsafeRawBufferPointer, after error: StorageError
  ) throws(StorageError) -> UnsafeRawBufferPointer {
    guard error.isOutOfSpace else { throw error }
    let written = try inner.size() - endByte
    // Anything else, and somebody else has changed the file: there is no telling what is in it.
    guard (0...bytes.count).contains(written) else { throw error }
    endByte += written
    return UnsafeRawBufferPointer(rebasing: bytes[written...])
  }

  func truncate(to size: Int) throws(StorageError) {
    try patience.retry { () throws(StorageError) in try inner.truncate(to: size) }
    endByte = size
  }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(StorageError) -> Int {
    try inner.read(into: buffer, at: offset)
  }

  func size() throws(StorageError) -> Int { try inner.size() }

  func syncData() throws(StorageError) { try inner.syncData() }

  func sync() throws(StorageError) { try inner.sync() }
}
