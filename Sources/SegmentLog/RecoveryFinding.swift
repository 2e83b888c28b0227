// What a writer that is fed rows once more finds wrong with what is there.

/// Something that is not as its writer left it, where it is, and what was done about it.
public struct RecoveryFinding: Equatable, Sendable, CustomStringConvertible {
  /// What was done.
  public enum Outcome: Equatable, Sendable {
    /// The file was cut at the finding's byte: the bytes from there on were never on stable storage.
    case cut(bytes: Int)
    /// The file was renamed to this path, and its good bytes were copied to a new one.
    case setAside(path: String)
    /// The rows that are not there are made, and written, once more.
    case writtenAgain
    /// These rows were made durable, are not there, and cannot be made once more.
    case rowsMissing(Range<Int>)
    /// Nothing: it cannot be put right.
    case leftInPlace
  }

  public let path: String
  /// The byte in that file.
  public let byte: Int
  /// What was found, as the second half of a sentence that begins with the path and the byte.
  public let what: String
  public let outcome: Outcome

  public init(path: String, byte: Int, what: String, outcome: Outcome) {
    self.path = path
    self.byte = byte
    self.what = what
    self.outcome = outcome
  }

  /// Whether this is only what a machine leaves that lost its power: the end of a file that was not on stable storage
  /// yet. Nothing is lost: its rows and checksums are made again.
  public var isUnsyncedEnd: Bool {
    switch outcome {
    case .cut: true
    case .setAside: path.hasSuffix(sidecarSuffix)
    case .writtenAgain, .rowsMissing, .leftInPlace: false
    }
  }

  public var description: String {
    let done =
      switch outcome {
      case .cut(let bytes): "\(bytes) bytes cut"
      case .setAside(let newPath): "set aside as \(newPath)"
      case .writtenAgain: "its rows are written once more"
      case .rowsMissing(let rows): "the rows \(rows.lowerBound) to \(rows.upperBound - 1) are missing"
      case .leftInPlace: "left in place"
      }
    return "\(path), byte \(byte): \(what); \(done)"
  }
}
