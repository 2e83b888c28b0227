// What a replay came to, for people and for scripts.

import FoundationEssentials
import Pipeline
import Records

struct ReplaySummary {
  /// Those that files can hold.
  private static let kinds: [RecordKind] = [.customer, .accelerometer, .stepTrainer]

  /// Those that any kind can get, each once; those that all can get stand last.
  private static var verdicts: [Verdict] {
    let possible = kinds.map { Verdict.possible(for: $0) }
    let common = Verdict.allCases.filter { verdict in possible.allSatisfy { $0.contains(verdict) } }
    var own: [Verdict] = []
    for verdict in possible.joined() where !common.contains(verdict) && !own.contains(verdict) {
      own.append(verdict)
    }
    return own + common
  }

  let counts: VerdictCounts
  let rows: [Table: Int]
  let seconds: Double

  /// - Parameter seconds: from the first byte read to the last one written; kept to the millisecond.
  init(counts: VerdictCounts, rows: [Table: Int], seconds: Double) {
    self.counts = counts
    self.rows = rows
    self.seconds = (seconds * 1_000).rounded() / 1_000
  }

  /// Whether the verdicts that are shown add up to the records that were read, for every kind.
  var isBalanced: Bool {
    Self.kinds.allSatisfy { kind in
      Verdict.possible(for: kind).reduce(0) { $0 + counts[kind, $1] } == counts.received(kind)
    }
  }

  /// One line of JSON: `records` (kind → verdict → count), `tables` (table → rows), `seconds`. A gateway's
  /// may also count `held` step trainer readings and records on topics of an `unknown` kind.
  var json: String {
    struct Object: Encodable {
      let records: [String: [String: Int]]
      let tables: [String: Int]
      let seconds: Double
    }
    func verdicts(of kind: RecordKind) -> [String: Int] {
      Dictionary(uniqueKeysWithValues: Verdict.possible(for: kind).map { ($0.name, counts[kind, $0]) })
    }
    var records = Dictionary(uniqueKeysWithValues: Self.kinds.map { ($0.name, verdicts(of: $0)) })
    // Only a gateway has these; without them its sums would not balance.
    if counts.held > 0 { records[RecordKind.stepTrainer.name]?[Verdict.held.name] = counts.held }
    if counts.received(.unknown) > 0 { records[RecordKind.unknown.name] = verdicts(of: .unknown) }
    let tables = rows.map { table, rows in (table.name, rows) }
    let object = Object(
      records: records, tables: Dictionary(uniqueKeysWithValues: tables), seconds: seconds)

    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    // Strings and finite numbers; there is nothing in here that JSON cannot hold.
    guard let data = try? encoder.encode(object) else { preconditionFailure("a summary does not encode") }
    return String(decoding: data, as: UTF8.self) + "\n"
  }

  /// Two tables, verdicts by kind and rows by table, and the pace.
  func text(output: String) -> String {
    let records = Self.kinds.reduce(0) { $0 + counts.received($1) }
    var pace = "\(withThousandsSeparators(Int64(records))) records in \(seconds) s"
    if seconds > 0 {
      pace += ", \(withThousandsSeparators(Int64(Double(records) / seconds))) records/s"
    }
    return
      "\(verdictTable.text)\n\(SummaryTable.rowsByTable { rows[$0] }.text)\n\(pace)\ntables in \(output)\n"
  }

  private var verdictTable: SummaryTable {
    var table = SummaryTable(heading: ["verdict"] + Self.kinds.map(\.name))
    for verdict in Self.verdicts {
      let numbers = Self.kinds.map { Verdict.possible(for: $0).contains(verdict) ? counts[$0, verdict] : nil }
      table.append(verdict.name, numbers)
    }
    if counts.held > 0 { table.append("held", Self.kinds.map { $0 == .stepTrainer ? counts.held : nil }) }
    table.append("received", Self.kinds.map { counts.received($0) })
    return table
  }
}
