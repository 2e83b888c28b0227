// Reads a journal from a position to its end, in batches that look exactly as those that came from the
// network, so that the engine knows only one way of taking entries.
//
// The gateway reads its journal while it recovers, before it writes on it. Others may read while it writes:
// they see the journal as it was at some moment after they began, and what is being written just then looks
// like a torn end.

import Storage

/// Reads all entries from a position on. One thread at a time.
public final class JournalReader {
  /// The position after the entries read so far; at the end, that of the journal.
  public private(set) var position: Int
  /// At the end: the torn end of the last write that was passed over, if there was one.
  public var tornTail: JournalOpenReport.TornTail? { scanner?.tornTail }
  private let fileSystem: any FileSystem
  private let directory: String
  private let batchBytes: Int
  private var rest: ArraySlice<Int>
  private var scanner: SegmentScanner?

  /// - Parameters:
  ///   - position: where an entry begins, such as a checkpoint's position, or the journal's end.
  ///   - batchBytes: about how much a `read` reads.
  public init(
    fileSystem: any FileSystem, directory: String, from position: Int = 0, batchBytes: Int = 1 << 20
  ) throws(JournalError) {
    self.fileSystem = fileSystem
    self.directory = directory
    self.position = position
    self.batchBytes = batchBytes
    let bases = try storage { () throws(StorageError) in try JournalFormat.segments(fileSystem, directory) }
    guard let first = bases.lastIndex(where: { $0 <= position }) else {
      rest = []
      if bases.isEmpty && position == 0 { return }
      throw .missing(directory: directory, from: position, to: bases.first ?? position)
    }
    rest = bases[first...]
    let scanner = try openNext()
    guard position == bases[first] || position <= scanner.endPosition else {
      throw .missing(directory: directory, from: scanner.endPosition, to: position)
    }
    scanner.seek(to: position)
  }

  /// Replaces the buffer's entries by the next ones. False at the end of the journal, where a torn end of
  /// the last write is passed over. Damage anywhere else is an error, and so is an unknown kind.
  public func read(into buffer: EntryBuffer) throws(JournalError) -> Bool {
    while let scanner {
      if try scanner.read(into: buffer, wantedBytes: batchBytes) {
        position = scanner.position
        return true
      }
      guard let next = rest.first else { break }
      guard next == scanner.position else {
        throw .missing(directory: directory, from: scanner.position, to: next)
      }
      _ = try openNext()
    }
    buffer.reset()
    return false
  }

  private func openNext() throws(JournalError) -> SegmentScanner {
    let base = rest.removeFirst()
    let path = "\(directory)/\(JournalFormat.segmentName(base))"
    let file = try storage { () throws(StorageError) in try fileSystem.openForReading(path) }
    let next = try SegmentScanner(file, basePosition: base, isNewest: rest.isEmpty)
    scanner = next
    return next
  }
}
