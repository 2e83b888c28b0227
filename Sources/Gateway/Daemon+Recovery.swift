// The daemon's start: the state as the last process left it, these settings, the customer files.

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

  func loadCustomers(_ recovered: Recovered) throws(DaemonError) {
    try removeLeftCopy()
    guard let path = settings.customers.path else { return }
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
  }

  // What a process left that ended while it read customer files.
  private func removeLeftCopy() throws(DaemonError) {
    try attempt(naming: "storage.directory") { () throws(StorageError) in
      try StagedCustomers.remove(fileSystem: fileSystem, settings.storage.directory)
    }
  }
}
