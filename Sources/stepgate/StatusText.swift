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
      ([mark + " " + health.headline] + health.details.map { "     " + $0 }).joined(separator: "\n") + "\n"
    ]
    blocks.append(lines.map { name, value in pad(name, to: 12) + value + "\n" }.joined())
    if let pipeline = status.pipeline {
      blocks.append(verdictTable(pipeline).text)
      blocks.append(rowTable(pipeline).text)
    }
    return blocks.joined(separator: "\n")
  }

  private var lines: [(String, String)] {
    let (journal, process) = (status.journal, status.process)
    var lines = [
      ("gateway", "stepgate \(status.version), up \(duration(status.nowAtMs - status.startedAtMs))"),
      ("broker", connection), ("messages", messages),
    ]
    if let pipeline = status.pipeline {
      let lag = pipeline.watermarkLagMs.map { "watermark \(duration($0)) behind, " } ?? ""
      let join = pipeline.join
      lines.append(
        (
          "pairs",
          "\(status.rates.pairs) /s, \(count(pipeline.tables[Table.machineLearningCurated.name] ?? 0)) in all"
        ))
      lines.append(
        (
          "join",
          "\(lag)\(count(join.readings)) readings, \(bytes(join.memoryBytes)) of \(bytes(join.maxMemoryBytes)), \(count(pipeline.held)) held, \(count(join.late)) late"
        ))
      lines.append(
        (
          "evicted",
          "\(count(join.evictedByAge)) by age, \(count(join.evictedIdle)) idle, \(count(join.evictedForMemory)) for memory"
        ))
      lines.append(("customers", count(pipeline.customers)))
    }
    lines.append(
      (
        "journal",
        "\(bytes(journal.sizeBytes)) on disk, \(bytes(max(0, journal.positionBytes - journal.playedPositionBytes))) to judge"
      ))
    lines.append(("checkpoint", checkpoint))
    lines.append(
      ("disk", "\(bytes(status.disk.freeBytes)) free, \(bytes(status.disk.reserveBytes)) are to stay free"))
    lines.append(
      (
        "process",
        "\(bytes(process.residentBytes)) resident, \(duration(Int64(process.cpuSeconds * 1000))) of CPU, \(process.openFiles) open files"
      ))
    return lines
  }

  private var connection: String {
    let connection = status.connection
    let since = connection.sinceAtMs.map { " for \(duration(status.nowAtMs - $0))" } ?? ""
    let session = connection.sessionPresent ? ", session resumed" : ", new session"
    return connection.broker
      + (connection.isSubscribed ? ", connected\(since)\(session)" : ", not connected\(since)")
  }

  private var messages: String {
    let connection = status.connection
    return
      "\(status.rates.messages) /s, \(count(connection.messages)) in all, \(count(connection.redelivered)) sent again, \(count(connection.sessionsLost)) sessions lost"
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
      guard counts.contains(where: { $0 ?? 0 > 0 }) else { continue }
      table.append([.text(verdict.name)] + counts.map { $0.map { .number(Int64($0)) } ?? .text("") })
    }
    if pipeline.held > 0 {
      table.append(
        [.text("held")] + kinds.map { $0 == .stepTrainer ? .number(Int64(pipeline.held)) : .text("") })
    }
    table.append([.text("received")] + kinds.map { .number(Int64(pipeline.records[$0.name]?.received ?? 0)) })
    return table
  }

  private func rowTable(_ pipeline: GatewayStatus.Pipeline) -> SummaryTable {
    var table = SummaryTable(heading: ["table", "rows"])
    for name in Table.allCases {
      if let rows = pipeline.tables[name.name] { table.append([.text(name.name), .number(Int64(rows))]) }
    }
    return table
  }

  // MARK: Words

  private func pad(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }

  private func count(_ number: Int) -> String { withThousandsSeparators(Int64(number)) }

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
