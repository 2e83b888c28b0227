// From a data folder as the last process left it to an engine that stands at the end of the journal.
//
// Invariants:
// - The state is that of the newest good checkpoint and of all entries behind it, judged by the settings that
//   were in force when they came.
// - Rows that are in the tables already are compared, not written again; rows that a crash kept from getting
//   there are written.
// - What is damaged is told and set aside, never deleted.

import Journal
import Pipeline
import Records
import SegmentLog
import Storage

/// What a recovery came across, for the log.
public enum RecoveryEvent {
  /// The end of the last write was torn, was never acknowledged, and was cut off.
  case journalWasTorn(JournalOpenReport.TornTail)
  /// A checkpoint was not good; the one before is used, or the journal from its beginning.
  case badCheckpoint(CheckpointError, setAside: String)
  /// The journal is about to be played.
  case playing(from: Int, to: Int)
  /// It was played up to a position.
  case played(to: Int)
  /// Something was wrong with a table.
  case table(Table, RecoveryFinding)
  /// A table holds rows that the journal does not account for.
  case unexplainedRows(Table, Int)
}

/// Why a recovery did not get to its end.
public enum RecoveryError: Error, CustomStringConvertible {
  case storage(StorageError)
  case journal(JournalError)
  case checkpoint(CheckpointError)
  case tables(SegmentLogError)
  case play(PlayError)
  /// No checkpoint is good, and the journal's beginning is gone.
  case noState(directory: String, journalStart: Int)

  public var description: String {
    switch self {
    case .storage(let error): error.description
    case .journal(let error): error.description
    case .checkpoint(let error): error.description
    case .tables(let error): error.description
    case .play(let error): error.description
    case .noState(let directory, let start):
      "\(directory) has no good checkpoint, and the journal begins only at position \(start)"
    }
  }
}

/// A gateway's state at the end of its journal.
public final class Recovered {
  /// Open for writing.
  public let journal: JournalWriter
  public let player: EntryPlayer
  public internal(set) var redeliveries: RedeliveryFilter
  /// The position of the checkpoint that it started from; 0 without one.
  public let checkpointPosition: Int

  init(
    journal: JournalWriter, player: EntryPlayer, redeliveries: RedeliveryFilter, checkpointPosition: Int
  ) {
    self.journal = journal
    self.player = player
    self.redeliveries = redeliveries
    self.checkpointPosition = checkpointPosition
  }
}

/// Recovers a data folder. One process at a time: the caller holds its lock.
public struct Recovery {
  private let fileSystem: any FileSystem
  private let dataDirectory: String
  private let initial: PlayerSettings
  private let readSettings: SettingsReader
  private let journalOptions: JournalOptions
  private let readsAhead: Bool
  private let isStopping: () -> Bool
  private let tell: (RecoveryEvent) -> Void
  private let store: CheckpointStore

  /// - Parameters:
  ///   - initial: holds until the first settings entry.
  ///   - readsAhead: whether a second thread reads the journal meanwhile; a simulation has but one.
  ///   - isStopping: asked while the journal is played.
  public init(
    fileSystem: any FileSystem, dataDirectory: String, initial: PlayerSettings,
    journalOptions: JournalOptions = JournalOptions(),
    readSettings: @escaping SettingsReader,
    readsAhead: Bool = true, isStopping: @escaping () -> Bool = { false },
    tell: @escaping (RecoveryEvent) -> Void = { _ in }
  ) {
    self.fileSystem = fileSystem
    self.dataDirectory = dataDirectory
    self.initial = initial
    self.journalOptions = journalOptions
    self.readSettings = readSettings
    self.readsAhead = readsAhead
    self.isStopping = isStopping
    self.tell = tell
    store = CheckpointStore(fileSystem: fileSystem, dataDirectory: dataDirectory)
  }

  private var journalDirectory: String { DataFolder(dataDirectory).journal }

  /// Opens the journal, finds the newest good checkpoint and plays what is behind it; nil if it was told to stop
  /// before the end.
  public func run() throws(RecoveryError) -> Recovered? {
    let journal = try attempt(RecoveryError.journal) { () throws(JournalError) in
      try JournalWriter(fileSystem: fileSystem, directory: journalDirectory, options: journalOptions)
    }
    if let torn = journal.openReport.tornTail { tell(.journalWasTorn(torn)) }
    let recovered = try newestState(journal)
    guard try play(recovered) else { return nil }
    try endTables(recovered.player.engine)
    return recovered
  }

  // MARK: The state to begin with

  private func newestState(_ journal: JournalWriter) throws(RecoveryError) -> Recovered {
    let positions = try attempt(RecoveryError.storage) { () throws(StorageError) in try store.positions() }
    for position in positions.reversed() {
      if let content = try content(of: position) { return try resume(content, at: position, journal) }
    }
    let start = try attempt(RecoveryError.storage) { () throws(StorageError) in
      try journalStart(fileSystem: fileSystem, directory: journalDirectory)
    }
    guard start == 0 else { throw .noState(directory: store.directory, journalStart: start) }
    return try resume(nil, at: 0, journal)
  }

  /// What the checkpoint holds; nil if it was bad and is set aside.
  private func content(of position: Int) throws(RecoveryError) -> CheckpointContent? {
    do throws(CheckpointError) {
      return try store.read(position) { content throws(CheckpointError) in
        try CheckpointContent(
          content, path: store.path(position), initial: initial, readSettings: readSettings)
      }
    } catch {
      guard case .damaged = error else { throw .checkpoint(error) }
      let aside = try attempt(RecoveryError.storage) { () throws(StorageError) in
        try store.setAside(position)
      }
      tell(.badCheckpoint(error, setAside: aside))
      return nil
    }
  }

  private func resume(
    _ content: CheckpointContent?, at position: Int, _ journal: JournalWriter
  ) throws(RecoveryError) -> Recovered {
    let settings = content?.settings ?? initial
    let engine = try attempt(RecoveryError.tables) { () throws(SegmentLogError) in
      try Engine(
        resuming: content?.engine ?? EngineState(settings.engine), settings: settings.engine,
        fileSystem: fileSystem, dataDirectory: dataDirectory)
    }
    let player = EntryPlayer(
      engine: engine, router: settings.router, position: position, settingsText: content?.settingsText ?? [],
      readSettings: readSettings)
    return Recovered(
      journal: journal, player: player, redeliveries: content?.redeliveries ?? RedeliveryFilter(),
      checkpointPosition: position)
  }

  // MARK: The entries behind it

  // False if it was told to stop.
  private func play(_ recovered: Recovered) throws(RecoveryError) -> Bool {
    let (from, end) = (recovered.checkpointPosition, recovered.journal.endPosition)
    let reader = try attempt(RecoveryError.journal) { () throws(JournalError) in
      try JournalReader(fileSystem: fileSystem, directory: journalDirectory, from: from)
    }
    if end > from { tell(.playing(from: from, to: end)) }
    let playback = JournalPlayback(
      reader: reader, parser: recovered.player.parser, redeliveries: recovered.redeliveries)
    let reachedEnd = try playback.run(readsAhead: readsAhead) { parsed throws(RecoveryError) in
      if isStopping() { return false }
      try attempt(RecoveryError.play) { () throws(PlayError) in try recovered.player.judge(parsed) }
      tell(.played(to: recovered.player.position))
      return true
    }
    recovered.redeliveries = playback.redeliveries
    return reachedEnd
  }

  private func endTables(_ engine: Engine) throws(RecoveryError) {
    let unexplained = try attempt(RecoveryError.storage) { () throws(StorageError) in
      try engine.tables.endRecovery()
    }
    for (table, finding) in engine.tables.takeFindings() { tell(.table(table, finding)) }
    for (table, rows) in unexplained { tell(.unexplainedRows(table, rows)) }
  }
}

/// Runs `body` and makes its error one of a recovery.
private func attempt<Failure: Error, Result>(
  _ wrap: (Failure) -> RecoveryError, _ body: () throws(Failure) -> Result
) throws(RecoveryError) -> Result {
  do { return try body() } catch { throw wrap(error) }
}
