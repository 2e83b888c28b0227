// Why a record is no good record, in words for the quarantine's `detail`.

import CFastPath

/// How much is kept of a text that is refused unread: what the quarantine shows of it, and a little more, so
/// that it can be cut between characters.
public let refusedTextBytes = 4096 + 4

/// What is wrong with a record. The raw values are those of CFastPath.
public enum Problem: UInt8, CaseIterable, Sendable {
  case none = 0
  case emptyText, notJSON, notAnObject, missing, notAString, notAnInteger, notANumber, notTextOrNumber
  case emptyIdentity, duplicateKey, numberTooLong, tooDeep, trailingText, oversized, unknownTopic,
    identityMismatch

  /// The verdict that the problem leads to.
  public var verdict: Verdict {
    switch self {
    case .oversized: .oversized
    case .identityMismatch: .identityMismatch
    default: .malformed
    }
  }

  /// One clause that says what is wrong and where; never a value from the record.
  public func detail(kind: RecordKind, field: UInt8) -> String {
    let fields = kind.fields
    let name = Int(field) < fields.count ? fields[Int(field)] : "record"
    return switch self {
    case .none: "nothing is wrong"
    case .emptyText: "no record in the payload"
    case .notJSON: "not JSON"
    case .notAnObject: "not a JSON object"
    case .missing: "\(name) is missing"
    case .notAString: "\(name) is not a string"
    case .notAnInteger: "\(name) is not an integer of 64 bits"
    case .notANumber: "\(name) is not a finite number"
    case .notTextOrNumber: "\(name) is neither a string nor a finite number"
    case .emptyIdentity: "\(name) is empty"
    case .duplicateKey: "\(name) is there twice"
    case .numberTooLong: "\(name) is a number of more than \(SG_NUMBER_LIMIT) characters"
    case .tooDeep: "nested too deeply"
    case .trailingText: "text behind the record"
    case .oversized: "the payload is larger than limits.max_message_bytes"
    case .unknownTopic: "the topic matches no topic filter"
    case .identityMismatch: "the topic names another identity than the payload"
    }
  }
}
