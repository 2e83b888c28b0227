// What keeps the gateway from starting or going on, as one line.

/// One clear line, and what kind of failure it is.
public struct DaemonError: Error, CustomStringConvertible {
  public enum Kind: Sendable {
    case configuration
    case inputOutput
  }

  public let kind: Kind
  public let description: String
}

/// Runs `body` and makes what it throws a line that names the setting to look at.
func attempt<Failure: Error & CustomStringConvertible, Result>(
  _ kind: DaemonError.Kind = .inputOutput, naming setting: String? = nil, _ body: () throws(Failure) -> Result
) throws(DaemonError) -> Result {
  do { return try body() } catch {
    let prefix = setting.map { "\($0): " } ?? ""
    throw DaemonError(kind: kind, description: prefix + error.description)
  }
}
