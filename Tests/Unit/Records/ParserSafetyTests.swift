// What once ended the process, or read memory of an earlier text.

import Records
import Testing
import TestSupport

@Suite struct ParserSafetyTests {
  private static let good = #""user":"u","timestamp":1,"x":1,"y":2,"z":3"#

  @Test(arguments: ["nul", "nulll", "n", "tru", "truely", "fals", "falsey", "NaN", "Infinity", "-", "1e"])
  func `A literal that is none, in a field that nobody reads, is a refusal like any other`(literal: String) {
    for payload in ["{\(Self.good),\"more\":\(literal)}", "{\(Self.good),\"more\":[{\"a\":\(literal)}]}"] {
      #expect(parse(payload: Array(payload.utf8), .accelerometer).map(\.problem) == ["not JSON"])
    }
  }

  @Test func `Brackets without an end reach neither what stands behind nor an earlier text`() {
    let parser = RecordParser()
    // Leaves the positions of many brackets in the parser's memory.
    let large = Array(
      repeatElement("{\(Self.good),\"more\":[[[[{}]]]]}", count: 5_000).joined(separator: "\n").utf8)
    let unbalanced = [
      "{\(Self.good),\"more\":[1,{\"b\":2}}", "{\(Self.good),\"more\":{\"a\":[[1]}}",
      "{\(Self.good),\"more\":[}",
      "[{\(Self.good),\"more\":[[[]]", "{\(Self.good),\"more\":{\"a\":{}}",
    ]
    for text in unbalanced {
      for behind in Array("\"}],:{[9e".utf8) {
        #expect(problems(large, behind: 0, parser).allSatisfy { $0 == nil })
        #expect(
          problems(Array(text.utf8), behind: behind, parser) == ["not JSON"], "\(text) before \(behind)")
      }
    }
  }

  private func problems(_ text: [UInt8], behind: UInt8, _ parser: RecordParser) -> [String?] {
    let padded = text + [UInt8](repeating: behind, count: textSlack)
    let batch = RecordBatch()
    return padded.withUnsafeBytes { bytes in
      let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
      parser.parse(
        payload: UnsafeRawBufferPointer(rebasing: bytes[..<text.count]),
        route: TopicRoute(kind: .accelerometer),
        arrivalMs: 0, topic: nothing, into: batch)
      return batch.records.map { record in
        record.problem == 0
          ? nil : Problem(rawValue: record.problem)?.detail(kind: .accelerometer, field: record.field)
      }
    }
  }
}
