// Customer files that changed while the gateway runs: read and checked whole before anything of them counts, then
// journaled piece by piece.
//
// They may change again at any time, and may be larger than memory. So what was checked is kept aside, in the
// journal's own format, in `<data>/customers`, and that is what the ingest thread gets.
//
// Invariants:
// - All or nothing: files with a record that is no customer record, or that cannot be read, change nothing.
// - What is journaled is, byte for byte, what was checked.

import Journal
import Pipeline
import Records
import Storage

/// Why changed customer files are not used.
public enum StagingError: Error, CustomStringConvertible {
  case input(RecordFilesError)
  /// The data folder, not the customer files, is to blame.
  case storage(JournalError)
  /// So many records are no customer records; of the first one the file, its line from 1 and what is wrong.
  case notCustomers(count: Int, of: Int, path: String, line: Int, what: String)
  /// Keeping them aside and journaling them would leave less room than is to be left free.
  case noRoom(bytes: Int, freeBytes: Int)

  public var description: String {
    switch self {
    case .input(let error): return error.description
    case .storage(let error): return error.description
    case .notCustomers(let count, let total, let path, let line, let what):
      return
        "\(count) of \(total) records \(count == 1 ? "is" : "are") no customer record\(count == 1 ? "" : "s"), "
        + "the first at \(path):\(line): \(what)"
    case .noRoom(let bytes, let freeBytes):
      return "reading \(bytes >> 20) MiB takes twice the room, and only \(freeBytes >> 20) MiB are free"
    }
  }
}

/// Checked customer files on their way into the journal.
public final class StagedCustomers {
  private static let pieceBytes = 256 << 10

  /// The records in the files.
  public let recordCount: Int
  private let directory: String
  private let endPosition: Int
  private let reader: JournalReader

  /// Reads and checks all files, and keeps them aside.
  /// - Parameters:
  ///   - path: a file or a folder.
  ///   - minFreeBytes: `storage.min_free_bytes`.
  public init(
    path: String, maxRecordBytes: Int, minFreeBytes: Int, fileSystem: any FileSystem, dataDirectory: String
  ) throws(StagingError) {
    directory = Self.directory(in: dataDirectory)
    let files = try attempt(StagingError.input) { () throws(RecordFilesError) in
      try RecordFiles(kind: .customer, path: path, fileSystem: fileSystem)
    }
    let freeBytes = try storage { () throws(StorageError) in try fileSystem.freeBytes(dataDirectory) }
    guard freeBytes - 2 * files.byteCount >= minFreeBytes else {
      throw .noRoom(bytes: files.byteCount, freeBytes: freeBytes)
    }
    let directory = directory
    try storage { () throws(StorageError) in try Self.remove(fileSystem: fileSystem, dataDirectory) }
    let writer = try attempt(StagingError.storage) { () throws(JournalError) in
      try JournalWriter(fileSystem: fileSystem, directory: directory)
    }
    let check = CustomerCheck()
    try Self.copy(files, to: writer, maxRecordBytes, check)
    if let error = check.error { throw error }
    recordCount = check.recordCount
    endPosition = writer.endPosition
    reader = try attempt(StagingError.storage) { () throws(JournalError) in
      try JournalReader(fileSystem: fileSystem, directory: directory, batchBytes: Self.pieceBytes)
    }
  }

  private static func copy(
    _ files: RecordFiles, to writer: JournalWriter, _ maxRecordBytes: Int, _ check: CustomerCheck
  ) throws(StagingError) {
    let entries = EntryBuffer()
    let block = RecordBlock()
    var failure: StorageError?
    try attempt(StagingError.input) { () throws(RecordFilesError) in
      try files.read(
        parser: RecordParser(), maxRecordBytes: maxRecordBytes, nextBlock: { failure == nil ? block : nil },
        piece: { piece, path, _ in
          check.look(at: piece, path: path)
          CustomerFileEntry.append(piece, path: path, arrivalMs: 0, to: entries)
        },
        filled: { _, _ in
          do throws(StorageError) { try writer.append(entries) } catch { failure = error }
          entries.reset()
        })
    }
    if let failure { throw .storage(.storage(failure)) }
  }

  /// The next piece, in a buffer of its own; nil at the end.
  public func next() throws(JournalError) -> EntryBuffer? {
    let piece = EntryBuffer()
    guard try reader.read(into: piece) else {
      // The reader passes over a torn end, which here means that bytes were lost.
      guard reader.position == endPosition else {
        throw .missing(directory: directory, from: reader.position, to: endPosition)
      }
      return nil
    }
    return piece
  }

  // MARK: The folder

  private static func directory(in dataDirectory: String) -> String {
    DataFolder(dataDirectory).stagedCustomers
  }

  /// Removes what is kept aside, also what a process left that ended meanwhile; nothing else that is in the folder.
  public static func remove(
    fileSystem: any FileSystem, _ dataDirectory: String
  ) throws(StorageError) {
    try removeJournal(fileSystem: fileSystem, directory: directory(in: dataDirectory))
  }
}

private func storage<Result>(_ body: () throws(StorageError) -> Result) throws(StagingError) -> Result {
  do { return try body() } catch { throw .storage(.storage(error)) }
}

private func attempt<Failure: Error, Result>(
  _ wrap: (Failure) -> StagingError, _ body: () throws(Failure) -> Result
) throws(StagingError) -> Result {
  do { return try body() } catch { throw wrap(error) }
}
