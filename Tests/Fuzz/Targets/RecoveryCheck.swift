// Recovers from any checkpoint file, with a journal behind it that is good, and goes on:
// - a bad checkpoint is set aside; only where the journal does not begin at 0 that is an error;
// - records and verdicts add up, if the state was good;
// - what then is checkpointed can be recovered, and leads to the same tables.

import Pipeline
import Records
import SegmentLog
import Storage
import TestSupport

@testable import Journal
@testable import Playback

struct RecoveryCheck {
  private let settings: ScriptSettings
  private let steps: [ScriptStep]
  private let position: Int
  private let fileSystem = MemoryFileSystem()

  /// - Parameters:
  ///   - steps: the journal's entries behind the checkpoint.
  ///   - position: of the checkpoint, and of the journal's first entry.
  init(_ settings: ScriptSettings, _ steps: [ScriptStep], position: Int) {
    self.settings = settings
    self.steps = steps
    self.position = position
  }

  func run(_ file: [UInt8]) {
    let store = CheckpointStore(fileSystem: fileSystem, dataDirectory: ScriptRun.directory)
    fileSystem.createDirectories(store.directory)
    fileSystem.write(store.path(position), file)
    writeJournal()
    guard let recovered = recover() else { return }
    goOn(recovered)
    let before = tables
    do throws(StorageError) {
      try store.write(recovered.player.checkpoint(remembering: recovered.redeliveries))
    } catch { preconditionFailure("a checkpoint in memory: \(error)") }
    guard let again = recover() else { preconditionFailure("what was written cannot be recovered") }
    precondition(again.checkpointPosition == recovered.player.position, "the new checkpoint is not used")
    precondition(again.player.engine.counts == recovered.player.engine.counts, "other verdicts")
    precondition(tables == before, "recovering changed the tables")
  }

  private func writeJournal() {
    fileSystem.createDirectories(directory)
    fileSystem.write(
      "\(directory)/\(JournalFormat.segmentName(position))", JournalFormat.fileHeader(position))
    do throws(JournalError) {
      append(to: try JournalWriter(fileSystem: fileSystem, directory: directory))
    } catch { preconditionFailure("a journal in memory: \(error)") }
  }

  private var directory: String { "\(ScriptRun.directory)/journal" }

  /// Journals the steps.
  @discardableResult
  private func append(to journal: JournalWriter) -> EntryBuffer {
    let entries = EntryBuffer(capacityBytes: 4096)
    for (number, step) in steps.enumerated() {
      step.append(to: entries, arrivalMs: 1_000_000 + Int64(number) * 1000, number: number)
    }
    do throws(StorageError) {
      try journal.append(entries)
      try journal.sync()
    } catch { preconditionFailure("a journal in memory: \(error)") }
    return entries
  }

  private func recover() -> Recovered? {
    let recovery = Recovery(
      fileSystem: fileSystem, dataDirectory: ScriptRun.directory, initial: settings.player,
      readSettings: { ScriptSettings(payload: $0).player })
    do throws(RecoveryError) { return try recovery.run() } catch {
      switch error {
      case .noState where position > 0: return nil
      case .checkpoint(.unsupportedVersion), .checkpoint(.unknownSection): return nil
      default: preconditionFailure("files in memory: \(error)")
      }
    }
  }

  private func goOn(_ recovered: Recovered) {
    let entries = append(to: recovered.journal)
    do throws(PlayError) { try recovered.player.play(entries) } catch {
      preconditionFailure("tables in memory: \(error)")
    }
    recovered.redeliveries.remember(entries)
    precondition(recovered.player.engine.counts.balance, "records and verdicts do not add up")
  }

  private var tables: [[[UInt8]]] {
    Table.allCases.map { fileSystem.segments(in: $0.directory(in: ScriptRun.directory)) }
  }
}
