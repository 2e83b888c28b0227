// What can be wrong with a journal: the disk refused, or the bytes are not what was written.

import Storage

public enum JournalError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A file operation failed.
  case storage(StorageError)
  /// A file holds something that was not written, and it is not the torn end of the last write. Nothing is
  /// changed or removed.
  case damaged(path: String, byte: Int, what: String)
  /// The journal does not have the entries of these positions.
  case missing(directory: String, from: Int, to: Int)
  /// A file of a later version of stepgate.
  case unsupportedVersion(path: String, version: UInt32)
  /// A whole entry of a kind that this version does not know.
  case unknownKind(path: String, byte: Int, kind: UInt8)

  public var description: String {
    switch self {
    case .storage(let error): error.description
    case .damaged(let path, let byte, let what): "\(path) is damaged at byte \(byte): \(what)"
    case .missing(let directory, let from, let to):
      "\(directory) lacks the journal's positions \(from) to \(to)"
    case .unsupportedVersion(let path, let version):
      "\(path) has format version \(version); this stepgate reads version \(JournalFormat.version)"
    case .unknownKind(let path, let byte, let kind):
      "\(path) has an entry of the unknown kind \(kind) at byte \(byte); a later stepgate wrote it"
    }
  }
}

/// Runs a file operation and makes its error one of ours.
func storage<Result>(
  _ operation: () throws(StorageError) -> Result
) throws(JournalError) -> Result {
  do { return try operation() } catch { throw .storage(error) }
}
