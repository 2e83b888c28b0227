// Checks a folder of checkpoints, without changing anything.

import Journal
import Storage

/// The result of `verifyCheckpoints`.
public struct CheckpointReport: Equatable, Sendable {
  /// Checkpoints, good or not.
  public internal(set) var checkpoints = 0
  public internal(set) var bytes = 0
  /// Damage: bytes that are not what was written, and journal entries that a start would need.
  public internal(set) var problems: [String] = []
  /// What is not damage, but worth knowing: a checkpoint that nobody needs.
  public internal(set) var notes: [String] = []
}

/// Checks every checkpoint's checksum, and that the journal has what is behind it. The gateway may be at work: a
/// checkpoint that it removes meanwhile is no problem.
public func verifyCheckpoints(
  fileSystem: any FileSystem, dataDirectory: String
) throws(StorageError) -> CheckpointReport {
  let store = CheckpointStore(fileSystem: fileSystem, dataDirectory: dataDirectory)
  var report = CheckpointReport()
  let positions = try store.positions()
  let start = try journalStart(fileSystem: fileSystem, directory: store.journalDirectory)
  var hasGood = false
  var withoutJournal: [String] = []
  for position in positions {
    do throws(CheckpointError) {
      let contentBytes = try store.read(position) { $0.bytes.count }
      report.bytes += CheckpointFormat.headerBytes + contentBytes + CheckpointFormat.trailerBytes
      if position >= start { hasGood = true }
    } catch {
      if case .storage(let error) = error, error.isNotFound { continue }
      report.problems.append(error.description)
    }
    report.checkpoints += 1
    if start > position {
      withoutJournal.append("\(store.path(position)): the journal begins only at position \(start)")
    }
  }
  // Its name can be back after a power loss. A start takes the newest.
  if hasGood {
    report.notes += withoutJournal.map { "\($0); a newer checkpoint is there, so nobody needs it" }
  } else {
    report.problems += withoutJournal
  }
  if positions.isEmpty && start > 0 {
    report.problems.append("\(store.directory) holds no checkpoint, and the journal begins only at \(start)")
  }
  return report
}
