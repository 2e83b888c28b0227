// A figure of the status: what it is called, where it is, where it is shown. /metrics, the lists of the page and the
// lines of `stepgate status` are made of the table of all figures.
//
// Invariant: a figure is a value of /status.json, at its path; a family of figures is an object or a text there.

/// A figure, or a family: those of one metric that differ by labels.
public struct Figure: Sendable {
  /// What is counted; who shows a figure writes it in a way of its own. A `duration` and a `time` are milliseconds,
  /// the latter since 1970-01-01 UTC.
  public enum Unit: String, Sendable {
    case count, bytes, seconds, duration, time
  }

  /// Figures that stand together: in a list of the page, in a line of the terminal.
  public enum Group: String, CaseIterable, Sendable {
    case messages, connection, joinState, join, evicted, customers, journal, positions, disk, process
  }

  /// Labels as /metrics has them, without braces, and the value in the figure's unit.
  typealias Samples = [(labels: String, value: Double)]

  /// The metric's name, with its label where other figures have the same.
  let metric: String
  let help: String
  /// Where it is in /status.json: `connection.sessions_lost`.
  let path: String
  /// None while nothing is known.
  let samples: @Sendable (GatewayStatus) -> Samples
  public private(set) var unit = Unit.count
  private(set) var group: Group?
  /// What stands before it on the page; nil: it is not there.
  private(set) var label: String?
  /// Whether the page marks it as soon as it is more than 0.
  private(set) var warns = false
  /// What the terminal says, with `%` for the value; nil: nothing.
  public private(set) var words: String?

  /// The id of its element there: the path without the words that say little, such as `evicted-memory`.
  var id: String {
    let small: Set<Substring> = ["connection", "pipeline", "join", "by", "for", "bytes"]
    return path.split { "._".contains($0) }.filter { !small.contains($0) }.joined(separator: "-")
  }

  /// The figure's value; nil while it is not known.
  public func value(in status: GatewayStatus) -> Double? { samples(status).first?.value }

  /// The group's figures, in the table's order.
  public static func all(in group: Group) -> [Figure] { all.filter { $0.group == group } }
}

extension Figure {
  /// A row of the table.
  init<Value: FigureValue>(
    _ metric: String, _ help: String, _ path: String,
    _ value: @escaping @Sendable (GatewayStatus) -> Value?, _ unit: Unit = .count, in group: Group? = nil,
    page label: String? = nil, warns: Bool = false, terminal words: String? = nil
  ) {
    self.init(
      metric: metric, help: help, path: path, samples: { value($0).map { [("", $0.number)] } ?? [] },
      unit: unit, group: group, label: label, warns: warns, words: words)
  }
}

/// What can be a figure: a number, or whether something is so, which is 1 or 0.
protocol FigureValue: Sendable {
  var number: Double { get }
}

extension Int: FigureValue { var number: Double { Double(self) } }
extension Int64: FigureValue { var number: Double { Double(self) } }
extension Double: FigureValue { var number: Double { self } }
extension Bool: FigureValue { var number: Double { self ? 1 : 0 } }
