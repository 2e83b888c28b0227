// The status page: one file, HTTP/status.html, that is compiled into the program. Its lists of figures and of tables are
// made here.

import Records

enum StatusPage {
  /// Each `{{figures:GROUP}}` of the file stands for the lines of that group, `{{tables}}` for the tables' names.
  private static let template = Figure.Group.allCases.reduce(
    String(decoding: PackageResources.status_html, as: UTF8.self)
      .replacing("{{tables}}", with: Table.allCases.map { "\"\($0.name)\"" }.joined(separator: ", "))
  ) { page, group in
    let lines = Figure.all(in: group).compactMap(line)
    return page.replacing("{{figures:\(group.rawValue)}}", with: lines.joined(separator: "\n        "))
  }

  /// The page, its style and script marked with the nonce of the response's Content-Security-Policy.
  static func html(nonce: String) -> String {
    template.split(separator: "{{nonce}}", omittingEmptySubsequences: false).joined(separator: nonce)
  }

  /// The label, and a place that the script fills with what is at the path.
  private static func line(of figure: Figure) -> String? {
    guard let label = figure.label else { return nil }
    let data = "data-path=\"\(figure.path)\" data-unit=\"\(figure.unit.rawValue)\""
    return "<dt>\(label)</dt><dd id=\"\(figure.id)\" \(data)\(figure.warns ? " data-warns" : "")>–</dd>"
  }
}
