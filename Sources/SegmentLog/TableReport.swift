// What a check of a table found.

/// The result of `verifyTable`. A table without problems holds every row that was made durable in it.
public struct TableReport: Equatable, Sendable {
  /// Something found, and where: a file and a byte in it.
  public struct Finding: Equatable, Sendable, CustomStringConvertible {
    public let path: String
    public let byte: Int
    public let what: String

    public var description: String { "\(path), byte \(byte): \(what)" }
  }

  public internal(set) var segments = 0
  /// Whole rows, in all segments.
  public internal(set) var rows = 0
  /// The bytes of all segments.
  public internal(set) var bytes = 0
  /// Damage: bytes that are not what was written, and files that are missing.
  public internal(set) var problems: [Finding] = []
  /// What is not damage, but worth knowing: a torn last row, a segment without checksums.
  public internal(set) var notes: [Finding] = []

  mutating func problem(_ path: String, _ byte: Int, _ what: String) {
    problems.append(Finding(path: path, byte: byte, what: what))
  }

  mutating func note(_ path: String, _ byte: Int, _ what: String) {
    notes.append(Finding(path: path, byte: byte, what: what))
  }
}
