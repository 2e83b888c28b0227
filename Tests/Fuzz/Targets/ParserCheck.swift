// Reads a text in several ways that must agree:
// - nothing that stands behind a text, and nothing of an earlier one, has a part in what is read;
// - every record's text lies in the payload, and says by itself what it said there;
// - lines are read as each line by itself.

import Records
import TestSupport

struct ParserCheck {
  private let behind: UInt8
  private let parser = RecordParser()
  /// Has the positions of many brackets in its memory.
  private let usedParser = RecordParser()

  /// - Parameter behind: what stands behind a text where it could do harm.
  init(behind: UInt8) {
    self.behind = behind
    let line = Array(#"{"user":"u","timestamp":1,"x":1,"y":2,"z":3,"more":[[{}]]}"#.utf8)
    let lines = Array(repeatElement(line, count: 3).joined(separator: [UInt8(ascii: "\n")]))
    precondition(parse(lines: lines, .accelerometer, with: usedParser).count == 3)
  }

  func run(_ text: [UInt8], _ kind: RecordKind) {
    let records = read(text, kind, parser) { check($0, kind, $1, in: $2) }
    precondition(records.count > 0, "a payload without a record")
    precondition(
      read(text, kind, usedParser, behind: behind) == records,
      "what stands behind the payload, or an earlier text, changes what is read")
    for record in records where record.problem == nil {
      precondition(read(record.text, kind, parser) == [record], "a record's own text says something else")
    }
    checkLines(text, kind)
  }

  private func read(
    _ text: [UInt8], _ kind: RecordKind, _ parser: RecordParser, behind: UInt8 = 0,
    look: (Record, RecordBatch, UnsafeRawBufferPointer) -> Void = { _, _, _ in }
  ) -> [ParsedRecord] {
    let padded = PaddedText(text, behind: [behind])
    let batch = RecordBatch()
    parser.parse(
      payload: padded.bytes, route: TopicRoute(kind: kind), arrivalMs: 0,
      topic: UnsafeRawBufferPointer(start: nil, count: 0), into: batch)
    for record in batch.records { look(record, batch, padded.bytes) }
    return withExtendedLifetime(padded) { parsed(batch, kind) }
  }

  // MARK: One record

  private func check(
    _ record: Record, _ kind: RecordKind, _ batch: RecordBatch, in payload: UnsafeRawBufferPointer
  ) {
    let text = UnsafeRawBufferPointer(start: record.text, count: Int(record.text_length))
    precondition(lies(text, in: payload), "a record's text is not in the payload")
    guard let problem = Problem(rawValue: record.problem) else { preconditionFailure("an unknown problem") }
    guard problem == .none else {
      precondition(record.field < kind.fields.count, "a problem in no field")
      return
    }
    precondition(JSONText.isObject(text), "a good record is not a JSON object")
    let identity = UnsafeRawBufferPointer(start: record.identity, count: Int(record.identity_length))
    precondition(!identity.isEmpty, "a good record without an identity")
    precondition(String(validating: identity, as: UTF8.self) != nil, "an identity that is not UTF-8")
    let lengths = [record.x_length, record.y_length, record.z_length]
    precondition(lengths.allSatisfy { ($0 > 0) == (kind == .accelerometer) }, "coordinates of wrong length")
    if kind == .customer { check(batch.customer(of: record).pointee, in: text) }
  }

  private func check(_ customer: CustomerFields, in text: UnsafeRawBufferPointer) {
    let raw = customer.raw
    for span in [raw.0, raw.1, raw.2, raw.3, raw.4, raw.5, raw.6, raw.7, raw.8, raw.9] where span.length > 0 {
      let column = UnsafeRawBufferPointer(start: span.bytes, count: Int(span.length))
      precondition(lies(column, in: text), "a column is not in its record")
    }
  }

  private func lies(_ part: UnsafeRawBufferPointer, in whole: UnsafeRawBufferPointer) -> Bool {
    guard let part = part.baseAddress.map({ $0..<$0 + part.count }), let start = whole.baseAddress else {
      return part.isEmpty
    }
    return part.lowerBound >= start && part.upperBound <= start + whole.count
  }

  // MARK: Lines

  private func checkLines(_ text: [UInt8], _ kind: RecordKind) {
    var together = parse(lines: text, kind, with: parser)
    PlantedBug.spoil(&together)
    let alone = text.split(separator: UInt8(ascii: "\n")).flatMap { line in
      // As a payload an array is several records, and a byte order mark is passed over.
      let isAlike = !line.starts(with: [0xEF]) && line.first { $0 > 0x20 } != UInt8(ascii: "[")
      let isBlank = line.allSatisfy { [0x20, 0x09, 0x0D].contains($0) }
      return isAlike && !isBlank
        ? read(Array(line), kind, parser) : parse(lines: Array(line), kind, with: parser)
    }
    precondition(together == alone, "lines are not read as each by itself")
  }
}
