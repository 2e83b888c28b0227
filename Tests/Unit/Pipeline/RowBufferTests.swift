import Foundation
import Testing
import TestSupport

@testable import Pipeline

@Suite struct RowBufferTests {
  private func text(_ append: (inout RowBuffer) -> Void) -> String {
    var buffer = RowBuffer(capacity: 16)
    append(&buffer)
    return String(decoding: buffer.bytes, as: UTF8.self)
  }

  @Test func `Integers are written in full`() {
    var random = SeededRandom(seed: testSeed())
    var values: [Int64] = [.min, .min + 1, .max, .max - 1, 0, -1]
    var power: Int64 = 1
    for _ in 0..<18 {
      power *= 10
      values += [power - 1, power, power + 1, -power, 1 - power]
    }
    for _ in 0..<1000 {
      values.append(.random(in: .min ... .max, using: &random) >> Int64(random.next() % 64))
    }
    for value in values { #expect(text { $0.append(value) } == "\(value)") }
  }

  @Test(arguments: [
    ("plain", #""plain""#), ("", #""""#), ("q\"uote", #""q\"uote""#), ("back\\slash", #""back\\slash""#),
    ("a\nb\rc\td", #""a\nb\rc\td""#), ("\0\u{1}\u{1F}", #""\u0000\u0001\u001f""#),
    ("\u{7F}ü😀/", "\"\u{7F}ü😀/\""),
    ("1234567\"", #""1234567\"""#), ("12345678\"", #""12345678\"""#),
    ("1234567\u{1F}9", #""1234567\u001f9""#),
    ("!! ##[]]", #""!! ##[]]""#),
  ])
  func `Strings are escaped as RFC 8259 wants it`(string: String, json: String) {
    let bytes = Array(string.utf8)
    #expect(text { buffer in bytes.withUnsafeBytes { buffer.append(string: $0) } } == json)
  }

  @Test func `Any string comes back from a JSON reader`() throws {
    var random = SeededRandom(seed: testSeed())
    for _ in 0..<500 {
      let scalars = (0..<Int.random(in: 0...40, using: &random)).map { _ in
        Unicode.Scalar(UInt32.random(in: 0...(random.oneIn(3) ? 0x10FFFF : 0x7F), using: &random)) ?? "x"
      }
      let string = String(String.UnicodeScalarView(scalars))
      let bytes = Array(string.utf8)
      let json = text { buffer in bytes.withUnsafeBytes { buffer.append(string: $0) } }
      #expect(!json.utf8.contains { $0 < 0x20 })
      let back = try JSONDecoder().decode([String].self, from: Data("[\(json)]".utf8))
      #expect(back.map { Array($0.utf8) } == [bytes])
    }
  }

  @Test func `Base64 is that of RFC 4648`() {
    var random = SeededRandom(seed: testSeed())
    for length in 0..<100 {
      let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
      let json = text { buffer in bytes.withUnsafeBytes { buffer.append(base64: $0) } }
      #expect(json == "\"\(Data(bytes).base64EncodedString())\"")
    }
  }

  @Test func `A buffer grows, counts its rows and begins anew`() {
    var buffer = RowBuffer(capacity: 1)
    for number in 0..<1000 {
      buffer.append(Int64(number))
      buffer.endRow()
    }
    #expect(buffer.rowCount == 1000)
    let expected = (0..<1000).map { "\($0)\n" }.joined()
    #expect(String(decoding: buffer.bytes, as: UTF8.self) == expected)
    buffer.clear()
    #expect(buffer.rowCount == 0 && buffer.bytes.isEmpty)
  }
}
