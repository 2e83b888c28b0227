// A world through the engine, and what the engine made of it.

import Consent
import Join
import Pipeline
import Records
import TestSupport

extension EngineSettings {
  init(_ oracle: OracleSettings) {
    self.init()
    consent = oracle.enforcesDates ? .enforce : .presence
    join.pairing = oracle.pairsByOwner ? .owner : .timestamp
    join.toleranceMs = oracle.toleranceMs
    join.evicts = oracle.eviction != nil
    if let eviction = oracle.eviction {
      join.allowedLatenessMs = eviction.latenessMs
      join.retentionMs = eviction.retentionMs
      join.idleMs = eviction.idleMs
    }
    futureSkewMs = oracle.futureSkewMs
  }
}

/// What came out, comparable as a whole.
struct Outcome: Equatable {
  /// Table → rows, sorted.
  var rows: [String: [String]]
  var verdicts: [String: [String: Int]]
  var held: Int

  init(_ oracle: NaiveOracle) {
    rows = oracle.rows.mapValues { $0.sorted() }
    verdicts = oracle.verdicts
    held = oracle.heldCount
  }

  init(_ run: PipelineRun) throws {
    rows = [:]
    for table in run.tables {
      let found = try run.rows(of: table)
      if !found.isEmpty { rows[table.name] = found.sorted() }
    }
    verdicts = run.verdicts
    held = run.engine.counts.held
  }

  /// What is in one and not in the other, for the eye.
  func difference(from expected: Outcome) -> String {
    var lines: [String] = []
    for table in Set(rows.keys).union(expected.rows.keys).sorted() {
      for change in (rows[table] ?? []).difference(from: expected.rows[table] ?? []) {
        switch change {
        case .insert(_, let row, _): lines.append("\(table): too much: \(row)")
        case .remove(_, let row, _): lines.append("\(table): missing: \(row)")
        }
      }
    }
    if verdicts != expected.verdicts || held != expected.held {
      lines.append("verdicts: \(verdicts), held \(held)")
      lines.append("expected: \(expected.verdicts), held \(expected.held)")
    }
    return lines.joined(separator: "\n")
  }
}

extension World {
  /// Runs the world, with `batchSizes` messages a batch in turn.
  func run(batchSizes: [Int] = [1], hashSeed: UInt64 = 1) throws -> PipelineRun {
    let run = try PipelineRun(EngineSettings(settings), hashSeed: hashSeed)
    var rest = messages[...]
    var turn = 0
    while !rest.isEmpty {
      let batch = rest.prefix(batchSizes[turn % batchSizes.count])
      rest = rest.dropFirst(batch.count)
      turn += 1
      try run.handle(
        batch.map {
          Message(RecordKind(named: $0.kind), $0.payload, arrivalMs: $0.arrivalMs)
        })
    }
    if settings.eviction == nil { run.engine.endHeld() }
    return run
  }

  /// Nil, or the world without the messages that it fails without, and how it differs from the contract.
  func failure() throws -> String? {
    guard try differs() else { return nil }
    var world = self
    var place = 0
    while place < world.messages.count {
      var smaller = world
      smaller.messages.remove(at: place)
      if try smaller.differs() { world = smaller } else { place += 1 }
    }
    let difference = try Outcome(world.run()).difference(from: Outcome(world.expected))
    return "\(world)\n\(difference)"
  }

  private func differs() throws -> Bool { try Outcome(run()) != Outcome(expected) }
}

extension RecordKind {
  init(named name: String) { self = Self.allCases.first { $0.name == name } ?? .unknown }
}
