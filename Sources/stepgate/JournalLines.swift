// Journal entries as lines for people.
//
// Invariant: whatever an entry holds, it is one line, its columns are separated by tabs and by nothing else
// that looks like one, and nothing in it moves the cursor, changes colours or turns the text around: what
// is shown came from the network.

import Glibc
import Journal
import Service

struct JournalLines {
  private(set) var text = ""
  /// How many characters of a payload are shown; nil for all.
  private let payloadLimit: Int?

  init(payloadLimit: Int?) { self.payloadLimit = payloadLimit }

  mutating func append(_ entry: EntryView) {
    let bytes =
      entry.isCut ? "\(entry.payload.count)/\(entry.originalPayloadBytes)" : "\(entry.payload.count)"
    let position = entry.position.map(String.init) ?? ""
    text += "\(position)\t\(utcText(entry.arrivalMs, showsMs: true))\t\(entry.kind.name)\t\(entry.packetID)\t"
    text.appendEscaped(entry.topic, limit: nil)
    text += "\t\(bytes)\t"
    if entry.kind == .sessionGap {
      text += sessionText(entry.payload)
    } else {
      text.appendEscaped(entry.payload, limit: payloadLimit)
    }
    text += "\n"
  }
}

/// What the entry of a session's beginning says (docs/journal-format.md, kind 4).
private func sessionText(_ payload: UnsafeRawBufferPointer) -> String {
  guard payload.count == MemoryLayout<Int64>.size else { return "the first session" }
  let lastContactMs = Int64(littleEndian: payload.loadUnaligned(as: Int64.self))
  return "the session before was last known at \(utcText(lastContactMs, showsMs: true))"
}

extension String {
  /// Appends bytes as text on one line: UTF-8 as it is, but for what would not be seen or would do
  /// something; other bytes as `\xFF`. A backslash stays one, so that JSON on one line stays JSON.
  ///
  /// - Parameter limit: how many characters; if there are more, an ellipsis stands for them. Nil: all.
  mutating func appendEscaped(_ bytes: UnsafeRawBufferPointer, limit: Int?) {
    var parser = Unicode.UTF8.ForwardParser()
    var rest = bytes.makeIterator()
    var place = 0
    var charactersLeft = limit ?? .max
    while place < bytes.count {
      guard charactersLeft > 0 else {
        self += "…"
        return
      }
      charactersLeft -= 1
      switch parser.parseScalar(from: &rest) {
      case .valid(let encoded):
        appendEscaped(Unicode.UTF8.decode(encoded))
        place += encoded.count
      case .error(let length):
        for byte in bytes[place..<place + length] { appendEscaped(byte) }
        place += length
      case .emptyInput: return
      }
    }
  }

  private mutating func appendEscaped(_ scalar: Unicode.Scalar) {
    switch scalar {
    case " "..."~": unicodeScalars.append(scalar)
    case "\n": self += "\\n"
    case "\r": self += "\\r"
    case "\t": self += "\\t"
    case _ where scalar.isASCII: appendEscaped(UInt8(scalar.value))
    default:
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator:
        self += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
      default: unicodeScalars.append(scalar)
      }
    }
  }

  private mutating func appendEscaped(_ byte: UInt8) {
    self += (byte < 16 ? "\\x0" : "\\x") + String(byte, radix: 16, uppercase: true)
  }
}
