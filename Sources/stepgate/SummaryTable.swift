// A plain text table for the end of a command: names on the left, numbers on the right.

import Records

/// Rows under a heading, in columns as wide as their widest cell, two blanks apart.
struct SummaryTable {
  enum Cell: Equatable {
    /// Left-aligned.
    case text(String)
    /// Right-aligned, with thousands separators.
    case number(Int64)
  }

  let heading: [String]
  private(set) var rows: [[Cell]] = []

  init(heading: [String]) {
    precondition(!heading.isEmpty, "a table without columns")
    self.heading = heading
  }

  mutating func append(_ row: [Cell]) {
    precondition(row.count == heading.count, "a row of \(row.count) cells in \(heading.count) columns")
    rows.append(row)
  }

  /// A name and numbers; nil leaves the cell empty.
  mutating func append(_ name: String, _ numbers: [Int?]) {
    append([.text(name)] + numbers.map { $0.map { .number(Int64($0)) } ?? .text("") })
  }

  /// The rows of each table; nil leaves it out.
  static func rowsByTable(_ count: (Table) -> Int?) -> SummaryTable {
    var summary = SummaryTable(heading: ["table", "rows"])
    for table in Table.allCases { if let count = count(table) { summary.append(table.name, [count]) } }
    return summary
  }

  /// The table's lines, each with its line end and without blanks before it.
  var text: String {
    let widths = heading.indices.map { column in
      max(heading[column].count, rows.map { $0[column].text.count }.max() ?? 0)
    }
    // A heading stands over its numbers.
    let headingCells = heading.indices.map { column in
      (heading[column], rows.contains { $0[column].isNumber })
    }
    let lines = [headingCells] + rows.map { row in row.map { ($0.text, $0.isNumber) } }
    return lines.map { line(of: $0, widths: widths) + "\n" }.joined()
  }

  private func line(of cells: [(text: String, isRight: Bool)], widths: [Int]) -> String {
    let padded = zip(cells, widths).map { cell, width in
      let padding = String(repeating: " ", count: width - cell.text.count)
      return cell.isRight ? padding + cell.text : cell.text + padding
    }
    var line = padded.joined(separator: "  ")
    while line.last == " " { line.removeLast() }
    return line
  }
}

extension SummaryTable.Cell {
  fileprivate var text: String {
    switch self {
    case .text(let text): text
    case .number(let number): withThousandsSeparators(number)
    }
  }

  fileprivate var isNumber: Bool {
    if case .number = self { true } else { false }
  }
}

/// `1234567` as `1,234,567`.
func withThousandsSeparators(_ number: Int64) -> String {
  let digits = Array("\(number.magnitude)")
  var text = number < 0 ? "-" : ""
  for (index, digit) in digits.enumerated() {
    if index > 0 && (digits.count - index) % 3 == 0 { text += "," }
    text.append(digit)
  }
  return text
}
