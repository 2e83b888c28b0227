// The daemon's start: the state as the last process left it, these settings, the customer files.

import Glibc
import Journal
import Pipeline
import Playback
import Records
import Storage
import Threads

extension Daemon {
  /// Brings engine and journal to where the last process left them; nil if the process was told to stop
  /// meanwhile.
  func recover() throws(DaemonError) -> Recovered? {
    let settings = settings
    let recovery = Recovery(
      fileSystem: fileSystem, dataDirectory: settings.storage.directory,
      initial: PlayerSettings(engine: EngineSettings(settings), router: router),
      // A segment goes only as a whole: no larger than what lies between two checkpoints.
      journalOptions: JournalOptions(segmentBytes: min(64 << 20, settings.checkpoint.journalBytes)),
      readSettings: { (text) throws(UnreadableSettings) in
        try PlayerSettings(journalText: text, over: settings)
      },
      isStopping: { [signals] in signals.stopRequested }, tell: { [self] in tell($0) })
    return try attempt(naming: "storage.directory") { () throws(RecoveryError) in try recovery.run() }
  }

  private func tell(_ event: RecoveryEvent) {
    switch event {
    case .journalWasTorn(let torn):
      log.warning(
        "the last write to \(torn.path) was torn at byte \(torn.byte); \(torn.bytes) bytes of it, never acknowledged, were cut off"
      )
    case .badCheckpoint(let error, let aside):
      log.error("\(error); it is set aside as \(aside), the state before it is used")
    case .playing(let from, let to):
      log.info("playing the journal, \(to - from) bytes")
      played = (from, to)
      activity.set(.playing(doneBytes: 0, totalBytes: to - from))
    case .played(let position):
      startPulse.works()
      activity.set(.playing(doneBytes: position - played.from, totalBytes: played.to - played.from))
    case .table(_, let finding) where finding.isUnsyncedEnd: log.info("\(finding); nothing is lost")
    case .table(_, let finding): log.error("\(finding)")
    case .unexplainedRows(let table, let rows):
      log.warning("\(table.name) has \(rows) rows that the journal does not account for; they stay")
    }
  }

  // From here on these settings hold, also for whoever plays the journal later.
  func recordSettings(_ recovered: Recovered) throws(DaemonError) {
    let text = Array(settings.journalText.utf8)
    guard text != recovered.player.settingsText else { return }
    let entries = EntryBuffer()
    SettingsEntry.append(text, arrivalMs: SystemClock().wallMs, to: entries)
    try attempt(naming: "storage.directory") { () throws(StorageError) in
      try recovered.journal.append(entries)
      try recovered.journal.sync()
    }
    try attempt { () throws(PlayError) in try recovered.player.play(entries) }
  }

  /// Reads the customer files. Where there are none yet they are waited for, unless customers are known already.
  /// - Returns: false if the process was told to stop meanwhile.
  func loadCustomers(_ recovered: Recovered) throws(DaemonError) -> Bool {
    try removeLeftCopy()
    guard let path = settings.customers.path else { return true }
    if areMissing(path) {
      if recovered.player.engine.customerCount > 0 {
        log.warning(
          "customers.path: there are no files at \(path); the customers known so far stay as they are")
        reloads.update { $0.areCustomerFilesGood = false }
        return true
      }
      guard waitForCustomers(path) else { return false }
    }
    activity.set(.readingCustomers(path: path))
    startPulse.works()
    customerFilesLoaded = FilesFingerprint(path: path)
    let fileSystem = fileSystem
    let maxRecordBytes = settings.limits.maxMessageBytes
    let before = recovered.player.engine.counts
    try attempt(naming: "customers.path") { () throws(CustomerFileError) in
      try recovered.player.loadCustomers(
        path: path, maxRecordBytes: maxRecordBytes, fileSystem: fileSystem, journal: recovered.journal,
        arrivalMs: SystemClock().wallMs, pulse: startPulse)
    }
    let counts = recovered.player.engine.counts
    let loaded = counts.received(.customer) - before.received(.customer)
    let bad = [Verdict.malformed, .oversized].reduce(0) { $0 + counts[.customer, $1] - before[.customer, $1] }
    log.info("loaded \(loaded) customer record\(loaded == 1 ? "" : "s") from \(path)")
    if bad > 0 { log.warning("\(bad) of them are no customer records; see quarantine/rejected") }
    reloads.update { $0.areCustomerFilesGood = true }
    return true
  }

  // A folder without files counts as none.
  private func areMissing(_ path: String) -> Bool {
    do throws(RecordFilesError) {
      _ = try RecordFiles(kind: .customer, path: path, fileSystem: fileSystem)
      return false
    } catch {
      switch error {
      case .noFiles: return true
      case .storage(let error): return error.isNotFound
      case .arrayTooLarge: return false
      }
    }
  }

  // Nothing is read from the broker meanwhile: readings of customers that are not known would be refused.
  private func waitForCustomers(_ path: String) -> Bool {
    log.warning(
      "customers.path: there are no files at \(path) yet; nothing is taken in before they are there")
    board.enter(.waitingForCustomers)
    activity.set(.waitingForCustomers(path: path))
    startPulse.rests()
    while areMissing(path) {
      if signals.stopRequested { return false }
      usleep(250_000)
    }
    board.enter(.recovering)
    return true
  }

  // What a process left that ended while it read customer files.
  private func removeLeftCopy() throws(DaemonError) {
    try attempt(naming: "storage.directory") { () throws(StorageError) in
      try StagedCustomers.remove(fileSystem: fileSystem, settings.storage.directory)
    }
  }
}
