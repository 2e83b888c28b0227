// A plain reader of JSON (RFC 8259), to check what is written by other means than it was made with. It
// refuses nothing that is JSON; it does not look at numbers' values, nor at whether strings are UTF-8.

struct JSONText {
  private let bytes: UnsafeRawBufferPointer
  private var place = 0

  /// Whether the bytes are one JSON object, and nothing else.
  static func isObject(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var text = JSONText(bytes: bytes)
    text.skipSpace()
    guard text.next == UInt8(ascii: "{"), text.takeObject() else { return false }
    text.skipSpace()
    return text.place == bytes.count
  }

  private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    place += 1
    return true
  }

  private mutating func take(_ word: String) -> Bool {
    guard bytes[place...].starts(with: word.utf8) else { return false }
    place += word.utf8.count
    return true
  }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { place += 1 }
  }

  private mutating func takeValue() -> Bool {
    skipSpace()
    return switch next {
    case UInt8(ascii: "{"): takeObject()
    case UInt8(ascii: "["): takeArray()
    case UInt8(ascii: "\""): takeString()
    case UInt8(ascii: "t"): take("true")
    case UInt8(ascii: "f"): take("false")
    case UInt8(ascii: "n"): take("null")
    default: takeNumber()
    }
  }

  private mutating func takeObject() -> Bool {
    takeList("{", "}") { text in
      text.skipSpace()
      guard text.takeString() else { return false }
      text.skipSpace()
      return text.take(":") && text.takeValue()
    }
  }

  private mutating func takeArray() -> Bool { takeList("[", "]") { $0.takeValue() } }

  private mutating func takeList(
    _ open: Unicode.Scalar, _ close: Unicode.Scalar, _ takeElement: (inout JSONText) -> Bool
  ) -> Bool {
    guard take(open) else { return false }
    skipSpace()
    if take(close) { return true }
    while takeElement(&self) {
      skipSpace()
      if take(close) { return true }
      guard take(",") else { return false }
    }
    return false
  }

  private mutating func takeString() -> Bool {
    guard take("\"") else { return false }
    while let byte = next {
      place += 1
      switch byte {
      case UInt8(ascii: "\""): return true
      case UInt8(ascii: "\\"): if !takeEscaped() { return false }
      case 0..<0x20: return false
      default: break
      }
    }
    return false
  }

  private mutating func takeEscaped() -> Bool {
    guard let byte = next else { return false }
    place += 1
    guard byte == UInt8(ascii: "u") else { return "\"\\/bfnrt".utf8.contains(byte) }
    for _ in 0..<4 {
      guard let digit = next, "0123456789abcdefABCDEF".utf8.contains(digit) else { return false }
      place += 1
    }
    return true
  }

  private mutating func takeNumber() -> Bool {
    _ = take("-")
    if !take("0"), !takeDigits() { return false }
    if take("."), !takeDigits() { return false }
    guard take("e") || take("E") else { return true }
    _ = take("+") || take("-")
    return takeDigits()
  }

  private mutating func takeDigits() -> Bool {
    let start = place
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { place += 1 }
    return place > start
  }
}
