// Just enough JSON to write made-up records, with the freedom to write it badly.

/// A JSON object under construction, its members in the order in which they are added.
struct JSONObject {
  private var text: [UInt8] = [UInt8(ascii: "{")]

  mutating func add(_ key: String, _ value: Int) { member(key, String(value)) }

  /// The shortest text that reads back as the same number.
  mutating func add(_ key: String, _ value: Double) { member(key, value.description) }

  mutating func add(_ key: String, null: Void) { member(key, "null") }

  /// With `escaped` every character outside ASCII is written as `\u`, as some senders do.
  mutating func add(_ key: String, _ value: String, escaped: Bool = false) {
    member(key, JSONObject.quoted(value, escaped: escaped))
  }

  var bytes: [UInt8] { text + [UInt8(ascii: "}")] }

  private mutating func member(_ key: String, _ value: String) {
    if text.count > 1 { text.append(UInt8(ascii: ",")) }
    text += "\"\(key)\":\(value)".utf8
  }

  private static func quoted(_ value: String, escaped: Bool) -> String {
    var result = "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case _ where scalar.value < 0x20 || (escaped && !scalar.isASCII):
        for unit in String(scalar).utf16 {
          let digits = String(unit, radix: 16)
          result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}

/// How several records travel in one payload.
enum Packing {
  case array
  case newlineDelimited

  func pack(_ records: [[UInt8]]) -> [UInt8] {
    switch self {
    case .array:
      [UInt8(ascii: "[")] + records.joined(separator: [UInt8(ascii: ",")]) + [UInt8(ascii: "]")]
    case .newlineDelimited:
      Array(records.joined(separator: [UInt8(ascii: "\n")]))
    }
  }
}
