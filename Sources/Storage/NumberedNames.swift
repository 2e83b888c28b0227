// Files that are named by a number: 20 digits, so that the order of names is the order of numbers, for
// every 64-bit number.

private let digits = 20

/// The largest number that is believed when it comes from a name or out of a file. No row is ever counted and no byte
/// ever written that often, and dozens of such numbers can be added up, so nothing that is there can make a sum trap.
public let numberLimit = 1 << 56

/// The number as 20 digits.
public func twentyDigits(_ number: Int) -> String {
  precondition(number >= 0)
  let text = String(number)
  return String(repeating: "0", count: digits - text.utf8.count) + text
}

/// The number in a name of exactly `prefix`, 20 digits and `suffix`; nil for any other name, and for a number beyond
/// `numberLimit`.
public func number(inName name: String, prefix: String = "", suffix: String) -> Int? {
  guard name.hasPrefix(prefix), name.hasSuffix(suffix),
    name.utf8.count == prefix.utf8.count + digits + suffix.utf8.count
  else { return nil }
  let text = name.dropFirst(prefix.count).dropLast(suffix.count)
  guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
  return Int(text).flatMap { $0 <= numberLimit ? $0 : nil }
}
