// SIGHUP: reads the settings again and applies what can change while the gateway runs.
//
// Invariants:
// - Settings that are wrong change nothing, and each problem is a line.
// - All of a change holds from the same moment on, between two batches of messages (LocalInput).
// - The customer files are read again behind it, by the settings that hold then.

import Dispatch
import Ingest
import Journal
import Logging
import Playback
import Service
import Settings
import Synchronization
import Threads

/// Applies settings one after the other, on a thread of its own.
// `inForce` belongs to the thread.
final class Reloader: @unchecked Sendable {
  /// Whom a change concerns.
  struct Parts: Sendable {
    let input: LocalInput
    let customers: CustomerFiles
    let supervisor: Supervisor
    let board: ReloadStatusBoard
    let console: ConsoleLog
  }

  private let load: @Sendable () throws(SettingsError) -> Settings
  private let parts: Parts
  private let log: Logger
  private let thread = DispatchQueue(label: "stepgate.reload")
  private var inForce: Settings

  /// - Parameter load: reads the settings as at the start.
  init(
    _ settings: Settings, load: @escaping @Sendable () throws(SettingsError) -> Settings, parts: Parts,
    log: Logger
  ) {
    inForce = settings
    self.load = load
    self.parts = parts
    self.log = log
  }

  func reload() { thread.async { self.run() } }

  private func run() {
    parts.supervisor.reloading()
    do throws(SettingsError) { apply(SettingsChanges(from: inForce, to: try load())) } catch { refuse(error) }
  }

  private func refuse(_ error: SettingsError) {
    for problem in error.problems { log.error("\(problem)") }
    log.error("the settings in force stay as they are; problems in the new ones: \(error.problems.count)")
    note(succeeded: false, restartKeys: nil)
    parts.supervisor.reloaded()
  }

  private func apply(_ changes: SettingsChanges) {
    let settings = changes.settings
    let entries = EntryBuffer()
    let text = settings.journalText
    if text != inForce.journalText { SettingsEntry.append(Array(text.utf8), arrivalMs: 0, to: entries) }
    // Whatever is asked for next is compared with these; they hold before it does.
    inForce = settings
    let limits = IngestLimits(settings)
    parts.input.put(LocalEntries(entries, limits: limits, whenDurable: { self.applied(changes) }))
  }

  // On the ingest thread.
  private func applied(_ changes: SettingsChanges) {
    parts.console.level.level = changes.settings.log.level
    let keys = changes.appliedKeys.joined(separator: ", ")
    log.info("settings read again, \(keys.isEmpty ? "nothing has changed" : "changed: \(keys)")")
    for key in changes.restartKeys {
      log.warning("\(key) has changed, which takes a restart; until then the old value stays")
    }
    note(succeeded: true, restartKeys: changes.restartKeys)
    parts.supervisor.reloaded()
    parts.customers.read(CustomerFiles.Options(changes.settings))
  }

  private func note(succeeded: Bool, restartKeys: [String]?) {
    parts.board.update { board in
      let keys = restartKeys ?? board.last?.restartKeys ?? []
      board.last = .init(isGood: succeeded, doneAtMs: SystemClock().wallMs, restartKeys: keys)
    }
  }
}

extension IngestLimits {
  init(_ settings: Settings) {
    let checkpoint = settings.checkpoint
    self.init(
      maxMessageBytes: settings.limits.maxMessageBytes, minFreeBytes: settings.storage.minFreeBytes,
      checkpoints: CheckpointOptions(
        intervalMs: Int(checkpoint.intervalMs), journalBytes: checkpoint.journalBytes))
  }
}
