import Records
import Testing
import TestSupport

/// A payload of lines is read as a stream where it can be, and line by line where it cannot: nobody may
/// be able to tell which.
@Suite struct PayloadSplittingTests {
  private static let good = [
    #"{"user":"u","timestamp":1,"x":1,"y":2,"z":3}"#,
    #" {"TIMESTAMP":-7,"user":"\u00fc\"","x":1.0,"y":2e-3,"z":3,"more":{"a":[1,{"b":"}\n"}]}}"#
      .replacing("\n", with: "\\n"),
    #"{"z":0.12345678901234567,"y":1,"x":-0,"user":"ünï","timestamp":9223372036854775807}  "#,
  ]
  private static let bad = [
    "oops", "{", "}", "{}", "[]", "null", "\"", "\"}", "{\"user\":\"u\"", "{\"user\":5}{", "[{]", "\u{1}",
    "\0",
    "{\"user\":\"u\",\"timestamp\":1,\"x\":1,\"y\":2,\"z\":1e999}",
    "{\"user\":\"u\",\"timestamp\":1,\"x\":1,\"y\":2,\"z\":3}{}",
    "{\"user\":\"u\",\"timestamp\":1,\"x\":1,\"y\":2,\"z\":3,}",
    "{\"user\":\"u\",\"user\":\"u\",\"timestamp\":1}", "{\"a\":\"\\ud800\"}", "\\", "{\"a\":[1,2}", ",", ":",
    "{\"user\":[[[[\"u\"]]]],\"timestamp\":1}", "{\"a\":1} x",
  ]

  private func line(_ random: inout SeededRandom, badIn: Int) -> [UInt8] {
    guard random.oneIn(badIn) else { return Array(random.pick(Self.good).utf8) }
    if random.oneIn(8) { return [0x7B, 0xFF, 0x7D] }
    if random.oneIn(8) {
      var line = Array(random.pick(Self.good).utf8)
      line[Int.random(in: 0..<line.count, using: &random)] = random.pick(Array("{}[],:\"\\0e \u{0}".utf8))
      return line
    }
    if random.oneIn(8) {
      return Array(random.pick(Self.good).utf8.prefix(Int.random(in: 1...30, using: &random)))
    }
    return Array(random.pick(Self.bad).utf8)
  }

  @Test func `Lines together give the same records as each line alone`() {
    var random = SeededRandom(seed: testSeed())
    let parser = RecordParser()
    for round in 0..<3000 {
      let badIn = random.pick([2, 5, 20])
      let lines = (0..<Int.random(in: 2...12, using: &random)).map { _ in line(&random, badIn: badIn) }
      let text = Array(lines.joined(separator: random.oneIn(4) ? Array("\r\n".utf8) : [0x0A]))
      let alone = lines.flatMap { parse(lines: $0, .accelerometer, with: parser) }
      let together = parse(lines: text, .accelerometer, with: parser)
      guard expectSame(together, alone, round) else { return }
      // A payload without any good line is refused as a whole; one that begins as an array is an array.
      let first = text.first { ![0x20, 0x0A, 0x0D, 0x09].contains($0) }
      guard first != UInt8(ascii: "["), alone.contains(where: { $0.problem == nil }) else { continue }
      let payload = parse(payload: text, .accelerometer)
      guard expectSame(payload, alone, round) else { return }
    }
  }

  // Shows the first records that differ, for the eye.
  private func expectSame(_ together: [ParsedRecord], _ alone: [ParsedRecord], _ round: Int) -> Bool {
    #expect(together.count == alone.count, "round \(round)")
    if let (a, b) = zip(together, alone).first(where: { $0 != $1 }) { #expect(a == b, "round \(round)") }
    return together == alone
  }

  @Test func `Random bytes are refused and nothing worse`() {
    var random = SeededRandom(seed: testSeed())
    let alphabet = Array("{}[]\",:\\ue0123456789.-+ntrfasl\n\r\t xyz".utf8) + [0, 0x80, 0xC3, 0xFF]
    for _ in 0..<5000 {
      let bytes = (0..<Int.random(in: 0...80, using: &random)).map { _ in random.pick(alphabet) }
      for kind in [RecordKind.customer, .accelerometer, .stepTrainer] {
        let records = parse(payload: bytes, kind)
        #expect(!records.isEmpty)
        #expect(records.allSatisfy { $0.problem != nil }, "\(bytes)")
      }
    }
  }

  // A text lies in a buffer among others; what a replay finds behind it is not what a broker sent there.
  @Test func `What stands behind a text changes nothing`() {
    var random = SeededRandom(seed: testSeed())
    let behind = Array("\"}],:{[9e\n \0".utf8)
    for round in 0..<3000 {
      let count = Int.random(in: 1...3, using: &random)
      let lines = (0..<count).map { _ in line(&random, badIn: 2) }
      let isArray = random.oneIn(2)
      var text = Array(lines.joined(separator: Array((isArray ? "," : "\n").utf8)))
      if isArray { text = [UInt8(ascii: "[")] + text + [UInt8(ascii: "]")] }
      let first = parse(payload: text, .accelerometer, behind: [behind[0]])
      for byte in behind.dropFirst() {
        guard expectSame(parse(payload: text, .accelerometer, behind: [byte]), first, round) else { return }
      }
    }
  }

  // At the end of a stream simdjson drops the beginning of a character unseen, and looks for it in the last
  // three bytes; what follows it there need not be of a character.
  @Test(arguments: [1, 2, 3])
  func `A text that ends within a character loses no record, and no damaged one is accepted`(place: Int) {
    let good = Array(Self.good[0].utf8)
    for lead in [0xC3, 0xE2, 0xF0, 0xFF] as [UInt8] {
      for follower in [0x82] + Array("3 }\"".utf8) {
        let end = [lead] + Array(repeating: follower, count: place - 1)
        for damaged in [good + end, Array("{\"user\":\"u".utf8) + end, end] {
          let text = good + [0x0A] + damaged
          let alone = parse(lines: good, .accelerometer) + parse(lines: damaged, .accelerometer)
          #expect(alone.map { $0.problem == nil } == [true, false], "\(damaged)")
          #expect(parse(lines: text, .accelerometer) == alone, "\(damaged)")
          #expect(parse(payload: text, .accelerometer) == alone, "\(damaged)")
          #expect(parse(payload: damaged, .accelerometer).allSatisfy { $0.problem != nil }, "\(damaged)")
        }
      }
    }
  }

  @Test func `A large payload is read in one piece`() {
    let line = Self.good[0]
    let count = 60_000
    let payload = Array(repeatElement(line, count: count).joined(separator: "\n").utf8)
    let records = parse(payload: payload, .accelerometer)
    #expect(records.count == count)
    #expect(records.allSatisfy { $0.problem == nil && $0.text == Array(line.utf8) })
  }
}
