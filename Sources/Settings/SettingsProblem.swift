// What can be wrong with settings, said so that an operator can correct it without the manual: where it
// stands, which key, what was given, what is allowed.
//
// Invariant: a problem prints as one line, and never a secret (a value is only in it where its key is
// known and cannot hold one).

/// Everything that is wrong with the settings, not only the first thing.
public struct SettingsError: Error, Equatable, Sendable, CustomStringConvertible {
  /// In the order of the file's lines, then of the environment's variables. Never empty.
  public let problems: [SettingsProblem]

  /// One line a problem.
  public var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// One thing that is wrong with the settings.
public struct SettingsProblem: Error, Equatable, Sendable, CustomStringConvertible {
  /// Where the value came from.
  public enum Source: Equatable, Sendable, CustomStringConvertible {
    /// `line` counts from 1; nil where the problem is the file as a whole.
    case file(path: String, line: Int?)
    case environment(variable: String)
    /// Nobody gave a value.
    case defaults

    public var description: String {
      switch self {
      case .file(let path, let line?): "\(path):\(line)"
      case .file(let path, nil): path
      case .environment(let variable): variable
      case .defaults: "defaults"
      }
    }
  }

  public let source: Source
  /// For instance `join.tolerance`; nil where the problem is the file as a whole.
  public let key: String?
  /// The value as it was written; nil where there is none to show.
  public let given: String?
  /// What is wrong with it, to be read after the value: `is not a duration`.
  public let problem: String
  /// What would be right; nil where the problem says it.
  public let allowed: String?

  init(_ source: Source, key: String?, given: String? = nil, _ problem: String, allowed: String? = nil) {
    self.source = source
    self.key = key
    self.given = given
    self.problem = problem
    self.allowed = allowed
  }

  /// `config/stepgate.yaml:12: join.tolerance: "abc" is not a duration; allowed: a number with …`
  public var description: String {
    var line = "\(source): "
    if let key { line += "\(printable(key)): " }
    if let given { line += "\"\(printable(given))\" " }
    line += problem
    if let allowed { line += "; allowed: \(allowed)" }
    return line
  }
}

/// The text on one line and of a bearable length, whatever somebody wrote into a file.
private func printable(_ text: String) -> String {
  let characterLimit = 80
  var line = ""
  for scalar in text.unicodeScalars.prefix(characterLimit) {
    line += isControl(scalar) ? scalar.escaped(asASCII: true) : String(scalar)
  }
  return text.unicodeScalars.count > characterLimit ? line + "…" : line
}

/// Control characters and line separators: what has no place in a setting and would break a line.
public func isControl(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.properties.generalCategory {
  case .control, .lineSeparator, .paragraphSeparator, .format: true
  default: false
  }
}
