// What a check of a journal found.

/// The result of `verifyJournal`. A journal without problems holds every entry that was made durable in it
/// and not trimmed.
public struct JournalReport: Equatable, Sendable {
  /// Something found, and where: a file and a byte in it.
  public struct Finding: Equatable, Sendable, CustomStringConvertible {
    public let path: String
    public let byte: Int
    public let what: String

    public var description: String { "\(path), byte \(byte): \(what)" }
  }

  public internal(set) var segments = 0
  /// Good entries, in all segments.
  public internal(set) var entries = 0
  /// The bytes of all segments.
  public internal(set) var bytes = 0
  /// The position of the oldest entry: 0, unless the journal was trimmed.
  public internal(set) var startPosition = 0
  /// The position after the last entry.
  public internal(set) var endPosition = 0
  /// Damage: bytes that are not what was written, and files that are missing or cannot be read.
  public internal(set) var problems: [Finding] = []
  /// What is not damage, but worth knowing: a torn end of the last write.
  public internal(set) var notes: [Finding] = []

  mutating func problem(_ path: String, _ byte: Int, _ what: String) {
    problems.append(Finding(path: path, byte: byte, what: what))
  }

  mutating func note(_ path: String, _ byte: Int, _ what: String) {
    notes.append(Finding(path: path, byte: byte, what: what))
  }
}
