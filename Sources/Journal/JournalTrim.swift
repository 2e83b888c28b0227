// The journal's beginning: where it is, and how it moves on when nobody needs the oldest segments any more.
//
// Invariants:
// - segments go from the oldest on, and each one's going is durable before the next one goes: whenever the
//   machine dies, what is left is a journal without a gap;
// - the newest segment stays, so the journal never forgets where it ends, and never meets its writer, which
//   touches no other.

import Storage

/// The positions at which the journal's segments begin, ascending; none if there is no journal. A
/// `JournalReader` can begin at each of them.
public func journalSegmentPositions(
  fileSystem: any FileSystem, directory: String
) throws(StorageError) -> [Int] {
  try JournalFormat.segments(fileSystem, directory)
}

/// The position of the oldest entry there is, or will be: 0 until the journal is trimmed.
public func journalStart(fileSystem: any FileSystem, directory: String) throws(StorageError) -> Int {
  try JournalFormat.segments(fileSystem, directory).first ?? 0
}

/// Removes a journal that nobody needs and nobody has open, but no file that a writer did not make. Not durable.
public func removeJournal(fileSystem: any FileSystem, directory: String) throws(StorageError) {
  let names: [String]
  do { names = try fileSystem.list(directory) } catch {
    if error.isNotFound { return }
    throw error
  }
  for name in names where JournalFormat.isOwnName(name) { try fileSystem.remove("\(directory)/\(name)") }
}

/// Removes the segments all of whose entries are below `position`, but for the newest. May run while a
/// `JournalWriter` is writing in another thread. Durable when it returns; after an error some may be gone.
///
/// - Parameter position: what is read from here on stays; at most the journal's durable position.
/// - Returns: the bytes of the removed files.
@discardableResult
public func trimJournal(
  fileSystem: any FileSystem, directory: String, before position: Int
) throws(StorageError) -> Int {
  let bases = try JournalFormat.segments(fileSystem, directory)
  let unneeded = zip(bases, bases.dropFirst()).filter { $0.1 <= position }.map(\.0)
  guard !unneeded.isEmpty else { return 0 }
  var removedBytes = 0
  for base in unneeded {
    // Before the first one goes this makes durable that the others are there: the newest may just have
    // been created.
    try fileSystem.syncDirectory(directory)
    let path = "\(directory)/\(JournalFormat.segmentName(base))"
    removedBytes += try fileSystem.openForReading(path).size()
    try fileSystem.remove(path)
  }
  try fileSystem.syncDirectory(directory)
  return removedBytes
}
