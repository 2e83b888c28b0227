// Journal entries as lines for people.
//
// Invariant: whatever an entry holds, it is one line, its columns are separated by tabs and by nothing else
// that looks like one, and nothing in it moves the cursor, changes colours or turns the text around: what
// is shown came from the network.

import Glibc
import Journal

struct JournalLines {
  private(set) var text = ""
  /// How many characters of a payload are shown; nil for all.
  private let payloadLimit: Int?

  init(payloadLimit: Int?) { self.payloadLimit = payloadLimit }

  mutating func append(_ entry: EntryView) {
    let bytes =
      entry.isCut ? "\(entry.payload.count)/\(entry.originalPayloadBytes)" : "\(entry.payload.count)"
    let position = entry.position.map(String.init) ?? ""
    text += "\(position)\t\(utcText(entry.arrivalMs))\t\(entry.kind.name)\t\(entry.packetID)\t"
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
  return "the session before was last known at \(utcText(lastContactMs))"
}

/// `2023-11-14T22:13:20.123Z`. A time whose year has no four digits is told in ms.
func utcText(_ ms: Int64) -> String {
  var (seconds, thousandths) = ms.quotientAndRemainder(dividingBy: 1000)
  if thousandths < 0 {
    seconds -= 1
    thousandths += 1000
  }
  var utc = tm()
  guard gmtime_r([time_t(seconds)], &utc) != nil, (0...9999).contains(Int(utc.tm_year) + 1900) else {
    return "\(ms) ms"
  }
  let date = "\(digits(utc.tm_year + 1900, 4))-\(digits(utc.tm_mon + 1, 2))-\(digits(utc.tm_mday, 2))"
  let time = "\(digits(utc.tm_hour, 2)):\(digits(utc.tm_min, 2)):\(digits(utc.tm_sec, 2))"
  return "\(date)T\(time).\(digits(CInt(thousandths), 3))Z"
}

private func digits(_ number: CInt, _ count: Int) -> String {
  let text = String(number)
  return String(repeating: "0", count: max(count - text.count, 0)) + text
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
