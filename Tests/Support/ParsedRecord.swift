// Records as values that outlive their texts, for tests of what the parser reads.

import Records

/// One parsed record.
public struct ParsedRecord: Equatable {
  /// The quarantine's words, or nil for a good record.
  public var problem: String?
  public var verdict: Verdict?
  public var text: [UInt8]
  /// What a good record holds; empty or 0 where its kind has no such field.
  public var identity: [UInt8] = []
  public var timeMs: Int64 = 0
  public var distance: Int64 = 0
  public var numbers: [String] = []
  public var customer: ParsedCustomer?
}

/// The fields of a good customer record.
public struct ParsedCustomer: Equatable {
  /// Raw JSON in column order; nil where absent or null.
  public var columns: [String?]
  public var serialNumber: [UInt8]
  public var lastUpdateMs: Int64?
  public var registrationMs: Int64?
  public var researchMs: Int64?
}

/// Parses one message's payload.
public func parse(
  payload: [UInt8], _ kind: RecordKind, route: TopicRoute? = nil, behind: [UInt8] = [0x22]
) -> [ParsedRecord] {
  let text = PaddedText(payload, behind: behind)
  let batch = RecordBatch()
  RecordParser().parse(
    payload: text.bytes, route: route ?? TopicRoute(kind: kind), arrivalMs: 0,
    topic: UnsafeRawBufferPointer(start: nil, count: 0), into: batch)
  defer { withExtendedLifetime(text) {} }
  return parsed(batch, kind)
}

/// Parses one message's payload.
public func parse(_ payload: String, _ kind: RecordKind) -> [ParsedRecord] {
  parse(payload: Array(payload.utf8), kind)
}

/// Parses whole lines of a file.
public func parse(lines: [UInt8], _ kind: RecordKind, with parser: RecordParser = RecordParser())
  -> [ParsedRecord]
{
  let text = PaddedText(lines)
  let batch = RecordBatch()
  parser.parse(
    lines: text.bytes, kind: kind, arrivalMs: 0, topic: UnsafeRawBufferPointer(start: nil, count: 0),
    into: batch)
  defer { withExtendedLifetime(text) {} }
  return parsed(batch, kind)
}

/// The records of a batch, all of one kind.
public func parsed(_ batch: RecordBatch, _ kind: RecordKind) -> [ParsedRecord] {
  batch.records.map { record in
    var parsed = ParsedRecord(text: bytes(record.text, record.text_length))
    if let problem = Problem(rawValue: record.problem), problem != .none {
      parsed.problem = problem.detail(kind: kind, field: record.field)
      parsed.verdict = problem.verdict
      return parsed
    }
    parsed.identity = bytes(record.identity, record.identity_length)
    parsed.timeMs = record.time_ms
    if kind == .customer { parsed.customer = ParsedCustomer(batch.customer(of: record)) }
    if kind == .stepTrainer { parsed.distance = record.distance }
    var place = 0
    for length in [record.x_length, record.y_length, record.z_length] where length > 0 {
      parsed.numbers.append(String(decoding: bytes(record.numbers + place, UInt32(length)), as: UTF8.self))
      place += Int(length)
    }
    return parsed
  }
}

private func bytes(_ start: UnsafePointer<UInt8>?, _ length: UInt32) -> [UInt8] {
  Array(UnsafeBufferPointer(start: start, count: Int(length)))
}

extension ParsedCustomer {
  init(_ fields: UnsafePointer<CustomerFields>) {
    let fields = fields.pointee
    let raw = fields.raw
    columns = [raw.0, raw.1, raw.2, raw.3, raw.4, raw.5, raw.6, raw.7, raw.8, raw.9].map { span in
      span.length == 0 ? nil : String(decoding: bytes(span.bytes, span.length), as: UTF8.self)
    }
    serialNumber = bytes(fields.serial_number.bytes, fields.serial_number.length)
    lastUpdateMs = raw.2.length == 0 ? nil : fields.last_update_ms
    registrationMs = raw.3.length == 0 ? nil : fields.registration_ms
    researchMs = raw.4.length == 0 ? nil : fields.research_ms
  }
}

extension ParsedRecord: CustomStringConvertible {
  public var description: String {
    let text = String(decoding: text, as: UTF8.self)
    if let problem { return "\(problem): \(text)" }
    let identity = String(decoding: identity, as: UTF8.self)
    return "\(identity) \(timeMs) \(distance) \(numbers) \(customer?.columns ?? []): \(text)"
  }
}
