// What the tables must hold, by the contract and the journal's history: the naive oracle fed with the records that the
// world meant, found by what the messages say.

import Records
import TestSupport

struct ExpectedTables {
  private var oracle: NaiveOracle
  private var landing: Bool
  private var extraRows: [String: [String]] = [:]
  /// By topic and payload.
  private var records: [String: [(record: OracleRecord, text: String)]] = [:]

  init(_ plan: SimulationPlan, _ settings: GatewaySettings) {
    oracle = NaiveOracle(settings.results)
    landing = settings.landing
    for message in plan.world.messages {
      records[message.kind + message.payload] = message.records
      for record in message.records { records[message.kind + record.text] = [record] }
    }
  }

  mutating func take(_ entry: HistoryEntry) throws(SimulationFailure) {
    switch entry.kind {
    case .message: try take(kind(of: entry.topic), entry.text, entry)
    case .customerFile:
      for line in entry.text.split(separator: "\n") { try take("customer", String(line), entry) }
    case .settings: try apply(entry)
    case .sessionGap: addGap(entry)
    }
  }

  private func kind(of topic: String) -> String {
    switch topic.first {
    case "c": "customer"
    case "a": "accelerometer"
    default: "step_trainer"
    }
  }

  private mutating func take(
    _ kind: String, _ payload: String, _ entry: HistoryEntry
  ) throws(SimulationFailure) {
    guard let records = records[kind + payload] else {
      throw SimulationFailure(.rows, "the journal has what nobody sent: \(payload)")
    }
    for (record, text) in records {
      oracle.handle(record, text: text, arrivalMs: entry.arrivalMs, topic: entry.topic)
      if case .malformed = record { continue }
      if landing { extraRows["\(kind)_landing", default: []].append(text) }
    }
  }

  private mutating func apply(_ entry: HistoryEntry) throws(SimulationFailure) {
    guard let settings = GatewaySettings(text: entry.payload) else {
      throw SimulationFailure(.rows, "the journal has settings that nobody made: \(entry.text)")
    }
    oracle.apply(settings.results)
    landing = settings.landing
  }

  // The first session there ever was left no gap.
  private mutating func addGap(_ entry: HistoryEntry) {
    if entry.payload.isEmpty { return }
    let fromMs = entry.payload.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    extraRows["gaps", default: []].append(
      "{\"from\":\(Int64(bitPattern: fromMs)),\"to\":\(entry.arrivalMs),\"reason\":\"the broker no longer knew the session\"}"
    )
  }

  /// A table's rows, sorted.
  func rows(_ table: Table) -> [String] {
    ((oracle.rows[table.name] ?? []) + (extraRows[table.name] ?? [])).sorted()
  }

  var verdicts: [String: [String: Int]] { oracle.verdicts }
  var held: Int { oracle.heldCount }
}
