// How numbers, durations and sizes are written in settings: digits and a unit, nothing else. Signs,
// fractions, blanks and hexadecimal are refused, so that a value reads the same to everybody.

private let durationUnits: [(suffix: String, ms: Int64)] = [
  ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
]
private let sizeUnits: [(suffix: String, bytes: Int64)] = [
  ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("", 1),
]

/// Decimal digits as a number, held at `Int64.max` where it is larger: a bound refuses it either way,
/// and the reader is told of the bound.
///
/// - Returns: nil where there is anything but digits.
func wholeNumber(_ text: some StringProtocol) -> Int64? {
  guard !text.isEmpty, text.utf8.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains) else {
    return nil
  }
  return Int64(text) ?? .max
}

/// `100ms`, `30s`, `10m`, `24h` or `7d` in milliseconds; held at `Int64.max` where it is larger.
func durationMs(_ text: String) -> Int64? {
  // "ms" stands before "m" and "s" in the table, so that its suffix is taken whole.
  for unit in durationUnits where text.hasSuffix(unit.suffix) {
    return wholeNumber(text.dropLast(unit.suffix.count)).map { times($0, unit.ms) }
  }
  return nil
}

/// `64KiB`, `1MiB`, `2GiB` or plain bytes, in bytes; held at `Int64.max` where it is larger.
func sizeBytes(_ text: String) -> Int64? {
  for unit in sizeUnits where text.hasSuffix(unit.suffix) {
    return wholeNumber(text.dropLast(unit.suffix.count)).map { times($0, unit.bytes) }
  }
  return nil
}

/// The inverse of `durationMs`: in the largest unit that divides it.
func durationText(ms: Int64) -> String {
  guard let unit = durationUnits.last(where: { ms != 0 && ms % $0.ms == 0 }) else { return "\(ms)ms" }
  return "\(ms / unit.ms)\(unit.suffix)"
}

/// The inverse of `sizeBytes`: in the largest unit that divides it.
func sizeText(bytes: Int64) -> String {
  for unit in sizeUnits.reversed() where unit.bytes > 1 && bytes != 0 && bytes % unit.bytes == 0 {
    return "\(bytes / unit.bytes)\(unit.suffix)"
  }
  return "\(bytes)"
}

private func times(_ number: Int64, _ unit: Int64) -> Int64 {
  let (product, overflow) = number.multipliedReportingOverflow(by: unit)
  return overflow ? .max : product
}
