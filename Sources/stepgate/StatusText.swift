// The gateway's status for a terminal: the figures of the status page, without its plots.

import Gateway
import Pipeline
import Records

struct StatusText {
  private let status: GatewayStatus

  init(_ status: GatewayStatus) { self.status = status }

  /// Some lines and two tables.
  var text: String {
    let health = status.health
    let mark = ["good": "[ok]", "attention": "[!]", "bad": "[!!]"][health.level.rawValue] ?? ""
    var blocks = [
      ([mark + " " + health.headline] + health.details.map { "     " + $0 }).joined(separator: "\n") + "\n",
      lines.map { name, value in pad(name, to: 12) + value + "\n" }.joined(),
    ]
    if let pipeline = status.pipeline {
      blocks.append(verdictTable(pipeline).text)
      blocks.append(SummaryTable.rowsByTable { pipeline.tables[$0.name] }.text)
    }
    return blocks.joined(separator: "\n")
  }

  private var lines: [(String, String)] {
    var lines = [
      ("gateway", ["stepgate \(status.version)", "up \(duration(status.nowAtMs - status.startedAtMs))"]),
      ("broker", [connection]),
      ("messages", ["\(status.rates.messages) /s"] + figures(.messages) + figures(.connection)),
    ]
    if let pipeline = status.pipeline {
      let pairs = pipeline.tables[Table.machineLearningCurated.name] ?? 0
      let memory = "\(bytes(pipeline.join.memoryBytes)) of \(bytes(pipeline.join.maxMemoryBytes))"
      lines += [
        ("pairs", ["\(status.rates.pairs) /s", "\(withThousandsSeparators(Int64(pairs))) in all"]),
        ("join", figures(.joinState) + [memory] + figures(.join)),
        ("evicted", figures(.evicted)), ("customers", figures(.customers)),
      ]
    }
    let toJudge = bytes(max(0, status.journal.positionBytes - status.journal.playedPositionBytes))
    lines += [
      ("journal", figures(.journal) + ["\(toJudge) to judge"]), ("checkpoint", [checkpoint]),
      ("disk", figures(.disk)), ("process", figures(.process) + ["\(status.process.openFiles) open files"]),
    ]
    return lines.map { name, parts in (name, parts.joined(separator: ", ")) }
  }

  /// What there is to say of a group of figures.
  private func figures(_ group: Figure.Group) -> [String] {
    Figure.all(in: group).compactMap { figure in
      guard let words = figure.words, let value = figure.value(in: status) else { return nil }
      return words.replacing("%", with: text(of: value, figure.unit))
    }
  }

  private var connection: String {
    let connection = status.connection
    let since = connection.sinceAtMs.map { " for \(duration(status.nowAtMs - $0))" } ?? ""
    let session = connection.sessionPresent ? ", session resumed" : ", new session"
    return connection.broker
      + (connection.isSubscribed ? ", connected\(since)\(session)" : ", not connected\(since)")
  }

  private var checkpoint: String {
    let position = status.checkpoint.positionBytes
    let plays = "a restart plays \(bytes(max(0, status.journal.positionBytes - position)))"
    if let writtenMs = status.checkpoint.writtenAtMs {
      return "\(duration(status.nowAtMs - writtenMs)) ago, \(plays)"
    }
    return (position > 0 ? "before this start, " : "none yet, ") + plays
  }

  /// Only verdicts that occurred.
  private func verdictTable(_ pipeline: GatewayStatus.Pipeline) -> SummaryTable {
    let kinds = RecordKind.allCases.filter { $0 != .unknown || pipeline.records[$0.name]?.received ?? 0 > 0 }
    var table = SummaryTable(heading: ["verdict"] + kinds.map(\.name))
    for verdict in Verdict.allCases where verdict != .held {
      let counts = kinds.map { pipeline.records[$0.name]?.verdicts[verdict.name] }
      if counts.contains(where: { $0 ?? 0 > 0 }) { table.append(verdict.name, counts) }
    }
    if pipeline.held > 0 { table.append("held", kinds.map { $0 == .stepTrainer ? pipeline.held : nil }) }
    table.append("received", kinds.map { pipeline.records[$0.name]?.received ?? 0 })
    return table
  }

  // MARK: Words

  private func pad(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }

  private func text(of value: Double, _ unit: Figure.Unit) -> String {
    // The largest lag there is has a `Double` that is one more than it, and no integer.
    let whole = Int64(exactly: value.rounded(.towardZero)) ?? .max
    return switch unit {
    case .count: withThousandsSeparators(whole)
    case .bytes: bytes(Int(whole))
    case .duration: duration(whole)
    case .seconds: duration(Int64(value * 1000))
    case .time: duration(status.nowAtMs - whole) + " ago"
    }
  }

  /// In the largest unit that leaves a whole number.
  private func bytes(_ bytes: Int) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"]
    let power = min(units.count - 1, (Int.bitWidth - 1 - max(bytes, 1).leadingZeroBitCount) / 10)
    return "\(bytes >> (10 * power)) \(units[power])"
  }

  private func duration(_ ms: Int64) -> String {
    let seconds = ms / 1000
    switch abs(seconds) {
    case ..<10: return "\(Double(ms / 100) / 10) s"
    case ..<120: return "\(seconds) s"
    case ..<7_200: return "\(seconds / 60) min"
    case ..<172_800: return "\(seconds / 3_600) h"
    default: return "\(seconds / 86_400) days"
    }
  }
}
