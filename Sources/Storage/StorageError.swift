// What the disk refused, told so that an operator can act on it: what was attempted, on which path, at
// which byte, and the system's reason.

import Glibc

/// A file operation that failed. The state of the file is what the operation's documentation says of
/// its errors; a failed sync in particular leaves unknown what is on the disk.
public struct StorageError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What was attempted, as the verb of the error's sentence.
  public enum Operation: String, Sendable {
    case createDirectory = "create folder"
    case list = "list folder"
    case open = "open"
    case read = "read"
    case write = "write"
    case size = "find the size of"
    case truncate = "cut"
    case sync = "sync"
    case syncDirectory = "sync folder"
    case rename = "rename"
    case remove = "remove"
    case link = "link"
    case readLink = "read link"
    case freeBytes = "find the free space of"
    case lock = "lock"
  }

  public let operation: Operation
  public let path: String
  /// The byte in the file at which it failed, where there is one.
  public let offset: Int?
  /// The system's `errno`.
  public let code: CInt
  /// The process that holds the lock, if this is a lock that was held and its file named one.
  public let lockHolder: Int?

  public init(operation: Operation, path: String, offset: Int? = nil, code: CInt, lockHolder: Int? = nil) {
    self.operation = operation
    self.path = path
    self.offset = offset
    self.code = code
    self.lockHolder = lockHolder
  }

  /// The path does not exist.
  public var isNotFound: Bool { code == ENOENT }

  /// The volume, or the quota, is full.
  public var isOutOfSpace: Bool { code == ENOSPC || code == EDQUOT }

  /// One sentence: `cannot write /x/y at byte 123: No space left on device`.
  public var description: String {
    let place = offset.map { " at byte \($0)" } ?? ""
    return "cannot \(operation.rawValue) \(path)\(place): \(reason)"
  }

  private var reason: String {
    guard operation == .lock, code == EWOULDBLOCK else {
      // glibc's strerror keeps its buffer per thread (since 2.32).
      return String(cString: strerror(code))
    }
    return "in use by another stepgate" + (lockHolder.map { " (pid \($0))" } ?? "")
  }
}
