// Where rows are formatted: JSON text, appended piece by piece into memory that is kept.
//
// Invariants:
// - A row is appended whole, with its line feed, before the next begins.
// - What is appended is valid JSON and holds no raw control characters, so a line feed always ends a row.
// - Appending allocates only when the buffer has never been as full before.

import Glibc
import Records

struct RowBuffer: ~Copyable {
  private var base: UnsafeMutableRawPointer
  private var capacity: Int
  private(set) var count = 0
  private(set) var rowCount = 0

  init(capacity: Int = 64 << 10) {
    self.capacity = capacity
    base = .allocate(byteCount: capacity, alignment: 16)
  }

  deinit { base.deallocate() }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

  mutating func clear() {
    count = 0
    rowCount = 0
  }

  @inline(__always)
  private mutating func reserve(_ more: Int) {
    if count + more > capacity { grow(more) }
  }

  @inline(never)
  private mutating func grow(_ more: Int) {
    while count + more > capacity { capacity *= 2 }
    let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
    larger.copyMemory(from: base, byteCount: count)
    base.deallocate()
    base = larger
  }

  /// Room for a piece whose bytes the caller writes.
  @inline(__always)
  mutating func append(length: Int) -> UnsafeMutableRawPointer {
    reserve(length)
    defer { count += length }
    return base + count
  }

  // Inlined, so that a literal becomes a few stores of known width.
  @inline(__always)
  mutating func append(_ text: StaticString) {
    let length = text.utf8CodeUnitCount
    append(length: length).copyMemory(from: text.utf8Start, byteCount: length)
  }

  @inline(__always)
  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress else { return }
    append(length: bytes.count).copyMemory(from: source, byteCount: bytes.count)
  }

  @inline(__always)
  mutating func append(byte: UInt8) { append(length: 1).storeBytes(of: byte, as: UInt8.self) }

  mutating func endRow() {
    append(byte: UInt8(ascii: "\n"))
    rowCount += 1
  }

  // MARK: Numbers

  private static let digitPairs: StaticString =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899"

  /// Appends an integer in decimal, two digits a step.
  mutating func append(_ value: Int64) {
    reserve(20)
    if value < 0 { append(byte: UInt8(ascii: "-")) }
    var rest = value.magnitude
    let length = digitCount(rest)
    let out = append(length: length).assumingMemoryBound(to: UInt8.self)
    var place = length
    while rest >= 100 {
      let (quotient, pair) = rest.quotientAndRemainder(dividingBy: 100)
      rest = quotient
      place -= 2
      copyPair(pair, to: out + place)
    }
    if rest >= 10 { copyPair(rest, to: out) } else { out[0] = UInt8(ascii: "0") + UInt8(rest) }
  }

  @inline(__always)
  private func copyPair(_ pair: UInt64, to out: UnsafeMutablePointer<UInt8>) {
    UnsafeMutableRawPointer(out).copyMemory(from: Self.digitPairs.utf8Start + Int(pair) * 2, byteCount: 2)
  }

  private func digitCount(_ value: UInt64) -> Int {
    var rest = value
    var count = 1
    while rest >= 10_000 {
      rest /= 10_000
      count += 4
    }
    if rest >= 1_000 { return count + 3 }
    if rest >= 100 { return count + 2 }
    return rest >= 10 ? count + 1 : count
  }

  // MARK: Strings

  /// Appends a JSON string. The bytes must be valid UTF-8.
  mutating func append(string bytes: UnsafeRawBufferPointer) {
    append(string: IdentityText(bytes: bytes, isPlain: !bytes.contains(where: mustEscapeInJSON)))
  }

  /// Appends an identity as a JSON string.
  mutating func append(string text: IdentityText) {
    append(byte: UInt8(ascii: "\""))
    if text.isPlain { append(text.bytes) } else { appendEscaped(text.bytes) }
    append(byte: UInt8(ascii: "\""))
  }

  /// Appends a part of what is there once more.
  mutating func appendCopy(of part: Range<Int>) {
    let room = append(length: part.count)
    room.copyMemory(from: base + part.lowerBound, byteCount: part.count)
  }

  // RFC 8259, section 7.
  private mutating func appendEscaped(_ bytes: UnsafeRawBufferPointer) {
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "\""): append("\\\"")
      case UInt8(ascii: "\\"): append("\\\\")
      case UInt8(ascii: "\n"): append("\\n")
      case UInt8(ascii: "\r"): append("\\r")
      case UInt8(ascii: "\t"): append("\\t")
      case 0..<0x20:
        append("\\u00")
        append(byte: hexDigit(byte >> 4))
        append(byte: hexDigit(byte & 15))
      default: append(byte: byte)
      }
    }
  }

  private func hexDigit(_ nibble: UInt8) -> UInt8 {
    nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
  }

  /// Appends bytes as a JSON string of base64 (RFC 4648, section 4).
  mutating func append(base64 bytes: UnsafeRawBufferPointer) {
    append(byte: UInt8(ascii: "\""))
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let count = min(3, bytes.count - start)
      var group: UInt32 = 0
      for place in 0..<3 { group = group << 8 | (place < count ? UInt32(bytes[start + place]) : 0) }
      for place in 0..<4 {
        let digit = UInt8(group >> UInt32(18 - 6 * place) & 63)
        append(byte: place <= count ? base64Digit(digit) : UInt8(ascii: "="))
      }
    }
    append(byte: UInt8(ascii: "\""))
  }

  private func base64Digit(_ value: UInt8) -> UInt8 {
    switch value {
    case 0..<26: UInt8(ascii: "A") + value
    case 26..<52: UInt8(ascii: "a") + value - 26
    case 52..<62: UInt8(ascii: "0") + value - 52
    case 62: UInt8(ascii: "+")
    default: UInt8(ascii: "/")
    }
  }
}
