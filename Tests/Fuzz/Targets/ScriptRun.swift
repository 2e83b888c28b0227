// Plays scripts, and checks what came of them.

import Journal
import Pipeline
import Playback
import Records
import SegmentLog
import TestSupport

/// An engine that plays scripts, and its tables in memory.
final class ScriptRun {
  static let directory = "data"

  let player: EntryPlayer
  let fileSystem: MemoryFileSystem
  private let settings: ScriptSettings
  private(set) var clockMs: Int64
  private var stepCount = 0
  private let parser = RecordParser()

  convenience init(_ settings: ScriptSettings, hashSeed: UInt64) {
    let fileSystem = MemoryFileSystem()
    do throws(SegmentLogError) {
      let engine = try Engine(
        settings: settings.player.engine, fileSystem: fileSystem, dataDirectory: Self.directory,
        hashSeed: hashSeed)
      self.init(engine, settings, fileSystem, clockMs: 1_000_000)
    } catch { preconditionFailure("tables in memory: \(error)") }
  }

  /// - Parameters:
  ///   - settings: those of the engine.
  ///   - settingsText: the text they were read from, if a step of a script was.
  init(
    _ engine: Engine, _ settings: ScriptSettings, _ fileSystem: MemoryFileSystem, clockMs: Int64,
    settingsText: [UInt8] = []
  ) {
    self.settings = settings
    self.fileSystem = fileSystem
    self.clockMs = clockMs
    player = EntryPlayer(engine: engine, router: settings.player.router, settingsText: settingsText) {
      ScriptSettings(payload: $0).player
    }
  }

  /// The settings that the steps to come are judged by.
  var settingsInForce: ScriptSettings {
    player.settingsText.isEmpty ? settings : ScriptSettings(payload: player.settingsText)
  }

  var counts: VerdictCounts { player.engine.counts }

  /// Plays steps as one batch.
  func play(_ steps: ArraySlice<ScriptStep>) {
    let entries = EntryBuffer(capacityBytes: 4096)
    for step in steps {
      clockMs += step.laterMs
      stepCount += 1
      step.append(to: entries, arrivalMs: clockMs, number: stepCount)
    }
    do throws(PlayError) { try player.play(entries) } catch {
      preconditionFailure("tables in memory: \(error)")
    }
  }

  // MARK: What came of it

  func check() {
    precondition(counts.balance, "records and verdicts do not add up")
    let rowCounts = player.engine.tables.rowCounts
    for table in Table.allCases {
      let rows = rows(of: table)
      precondition(
        rows.count == rowCounts[table] ?? 0, "another number of rows in \(table.name) than counted")
      for row in rows { check(row, of: table) }
    }
  }

  private func check(_ row: ArraySlice<UInt8>, of table: Table) {
    precondition(row.withUnsafeBytes(JSONText.isObject), "a row of \(table.name) is not a JSON object")
    precondition(String(validating: row, as: UTF8.self) != nil, "a row of \(table.name) is not UTF-8")
    for kind in table.recordKinds {
      let records = parse(lines: Array(row), kind, with: parser)
      precondition(
        records.count == 1 && records[0].problem == nil,
        "a row of \(table.name) is no good \(kind.name) record")
    }
  }

  private func rows(of table: Table) -> [ArraySlice<UInt8>] {
    segments(of: table).flatMap { segment in
      precondition(segment.isEmpty || segment.last == UInt8(ascii: "\n"), "a torn row in \(table.name)")
      return segment.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
    }
  }

  /// The bytes of each of a table's segments; none if there is no such table.
  func segments(of table: Table) -> [[UInt8]] {
    fileSystem.segments(in: table.directory(in: Self.directory))
  }
}

extension Table {
  /// The kinds of records whose fields its rows have.
  fileprivate var recordKinds: [RecordKind] {
    switch self {
    case .customerLanding, .customerTrusted, .customersCurated: [.customer]
    case .accelerometerLanding, .accelerometerTrusted: [.accelerometer]
    case .stepTrainerLanding, .stepTrainerTrusted: [.stepTrainer]
    case .machineLearningCurated: [.accelerometer, .stepTrainer]
    case .rejected, .gaps: []
    }
  }
}
