// Customer files in the journal: what they hold is input like any message, so it is journaled before
// it is judged.

import Journal
import Pipeline
import Records
import Storage
import Threads

/// Turns pieces of customer files into journal entries and back.
public enum CustomerFileEntry {
  // The piece is a whole file that is not made of lines.
  private static let wholeFlag: UInt8 = 1

  static func append(
    _ piece: FilePiece, path: UnsafeRawBufferPointer, arrivalMs: Int64, to entries: EntryBuffer
  ) {
    let (text, flags, original): (UnsafeRawBufferPointer, UInt8, Int?) =
      switch piece {
      case .lines(let text): (text, 0, nil)
      case .whole(let text): (text, wholeFlag, nil)
      case .tooLong(let text): (text, 0, text.count + 1)
      }
    entries.append(
      kind: .customerFile, arrivalMs: arrivalMs, flags: flags, topic: path, payload: text,
      originalPayloadBytes: original)
  }

  static func piece(of entry: EntryView) -> FilePiece {
    if entry.isCut { return .tooLong(entry.payload) }
    return entry.flags & wholeFlag != 0 ? .whole(entry.payload) : .lines(entry.payload)
  }
}

/// Why customer files could not be loaded.
public enum CustomerFileError: Error, CustomStringConvertible {
  case input(RecordFilesError)
  case journal(StorageError)
  case engine(PlayError)

  public var description: String {
    switch self {
    case .input(let error): error.description
    case .journal(let error): error.description
    case .engine(let error): error.description
    }
  }
}

extension EntryPlayer {
  /// Reads customer files into the journal, makes them durable and plays them.
  /// - Parameters:
  ///   - path: a file or a folder.
  ///   - pulse: takes a step with each piece.
  public func loadCustomers(
    path: String, maxRecordBytes: Int, fileSystem: any FileSystem, journal: JournalWriter, arrivalMs: Int64,
    pulse: Pulse? = nil
  ) throws(CustomerFileError) {
    let entries = EntryBuffer()
    let block = RecordBlock()
    var failure: CustomerFileError?
    do throws(RecordFilesError) {
      try RecordFiles(kind: .customer, path: path, fileSystem: fileSystem).read(
        parser: RecordParser(), maxRecordBytes: maxRecordBytes,
        nextBlock: { failure == nil ? block : nil },
        piece: { piece, path, _ in
          CustomerFileEntry.append(piece, path: path, arrivalMs: arrivalMs, to: entries)
        },
        filled: { _, _ in
          pulse?.works()
          do throws(CustomerFileError) { try self.commit(entries, to: journal) } catch { failure = error }
        })
    } catch { throw .input(error) }
    if let failure { throw failure }
  }

  private func commit(_ entries: EntryBuffer, to journal: JournalWriter) throws(CustomerFileError) {
    do throws(StorageError) {
      try journal.append(entries)
      try journal.sync()
    } catch { throw .journal(error) }
    do throws(PlayError) { try play(entries) } catch { throw .engine(error) }
    entries.reset()
  }
}
