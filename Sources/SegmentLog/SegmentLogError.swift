// What can be wrong with a table: the disk refused, or the bytes are not what was written.

import Storage

public enum SegmentLogError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A file operation failed.
  case storage(StorageError)
  /// A file of the table holds something that its writer did not write. Nothing is changed or removed;
  /// `stepgate verify` tells the extent.
  case corrupt(path: String, byte: Int, what: String)
  /// The table has no rows `from ..< to`, but later ones.
  case missingRows(directory: String, from: Int, to: Int)

  public var description: String {
    switch self {
    case .storage(let error): error.description
    case .corrupt(let path, let byte, let what): "\(path) is damaged at byte \(byte): \(what)"
    case .missingRows(let directory, let from, let to):
      "\(directory) lacks the rows \(from) to \(to - 1), which came before those it has"
    }
  }
}

/// Runs a file operation and makes its error one of ours.
func storage<Result>(
  _ operation: () throws(StorageError) -> Result
) throws(SegmentLogError) -> Result {
  do { return try operation() } catch { throw .storage(error) }
}
