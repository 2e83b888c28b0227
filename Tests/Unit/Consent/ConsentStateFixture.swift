// A consent index under random records, and all that can be seen of it.

import Records
import TestSupport

@testable import Consent

/// A record that comes to a consent index.
enum ConsentEvent {
  case customer(Int, serial: Int?, updatedMs: Int, sinceMs: Int64?, name: String)
  case accelerometer(Int, timeMs: Int64, latestMs: Int64)
  case stepTrainer(serial: Int, timeMs: Int64)
  case mode(ConsentMode)

  var changesMode: Bool { if case .mode = self { true } else { false } }

  /// One of 80 customers, who move between ten serial numbers, half of them on the first, and none.
  static func random(round: Int, _ random: inout SeededRandom) -> ConsentEvent {
    let customer = Int.random(in: 0..<80, using: &random)
    let serial = random.oneIn(2) ? 0 : Int.random(in: 0..<10, using: &random)
    let timeMs = Int64.random(in: 0...60, using: &random)
    switch Int.random(in: 0..<100, using: &random) {
    case 0: return .mode(random.pick(ConsentMode.allCases))
    case ..<40:
      return .customer(
        customer, serial: random.oneIn(3) ? nil : serial,
        updatedMs: round - (random.oneIn(5) ? 50 : 0), sinceMs: random.oneIn(3) ? nil : timeMs,
        name: random.oneIn(4) ? String(repeating: "n", count: 200) : "\(round % 3)")
    case ..<70: return .accelerometer(customer, timeMs: timeMs, latestMs: random.oneIn(5) ? 30 : .max)
    default: return .stepTrainer(serial: serial, timeMs: timeMs)
    }
  }
}

/// A consent index that takes and judges records as JSON would bring them.
final class ConsentRun {
  let index: ConsentIndex
  private let batch = RecordBatch()
  private let parser = RecordParser()

  init(_ index: ConsentIndex) { self.index = index }

  convenience init(_ events: [ConsentEvent] = [], hashSeed: UInt64 = 1) {
    self.init(ConsentIndex(mode: .enforce, hashSeed: hashSeed))
    for event in events { _ = apply(event) }
  }

  /// Does to the index what comes of an event, and tells what the index said.
  func apply(_ event: ConsentEvent) -> String {
    switch event {
    case .customer(let customer, let serial, let updatedMs, let sinceMs, let name):
      var json = #"{"email":"c\#(customer)","lastUpdateDate":\#(updatedMs),"customerName":"\#(name)""#
      if let serial { json += #","serialNumber":"s\#(serial)""# }
      if let sinceMs { json += #","shareWithResearchAsOfDate":\#(sinceMs)"# }
      return take(json + "}")
    case .accelerometer(let customer, let timeMs, let latestMs):
      return judgeAccelerometer(
        #"{"user":"c\#(customer)","timestamp":\#(timeMs),"x":1,"y":1,"z":1}"#, EventTime(ms: latestMs))
    case .stepTrainer(let serial, let timeMs):
      return judgeStepTrainer(
        #"{"sensorReadingTime":\#(timeMs),"serialNumber":"s\#(serial)","distanceFromObject":1}"#)
    case .mode(let mode):
      index.mode = mode
      return "\(mode)"
    }
  }

  private func parsed<Result>(
    _ kind: RecordKind, _ json: String, _ body: (UnsafeMutableBufferPointer<Record>) -> Result
  ) -> Result {
    let text = PaddedText(Array(json.utf8))
    defer { withExtendedLifetime(text) {} }
    batch.clear()
    parser.parse(
      payload: text.bytes, route: TopicRoute(kind: kind), arrivalMs: 0, topic: text.bytes, into: batch)
    precondition(batch.records.allSatisfy { $0.problem == 0 }, "a test sends good records")
    return body(batch.records)
  }

  private func take(_ json: String) -> String {
    parsed(.customer, json) { records in
      let change = Array(json.utf8).withUnsafeBytes {
        index.apply(records[0], batch.customer(of: records[0]), row: $0, arrivalMs: 0)
      }
      return "\(change)"
    }
  }

  private func judgeAccelerometer(_ json: String, _ latest: EventTime) -> String {
    parsed(.accelerometer, json) { records in
      index.judgeAccelerometer(records, latest: latest)
      let record = records[0]
      let row = record.curates == 1 ? takeRow(CustomerID(record.subject)) : "none"
      return "\(record.verdict) of \(record.subject), row \(row)"
    }
  }

  private func judgeStepTrainer(_ json: String) -> String {
    parsed(.stepTrainer, json) { records in
      index.judgeStepTrainer(records, latest: .distantFuture)
      return "\(records[0].verdict) of \(records[0].subject)"
    }
  }

  private func takeRow(_ customer: CustomerID) -> String {
    var row = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    index.takeRow(of: customer) { length in
      row = .allocate(byteCount: length, alignment: 1)
      return row.baseAddress!
    }
    defer { row.deallocate() }
    return String(decoding: row, as: UTF8.self)
  }

  /// Names, claims, dates and coverage.
  var visible: [String] {
    let customers = (0..<UInt32(index.customerCount)).map { id in
      let customer = CustomerID(id)
      let email = String(decoding: index.email(of: customer).bytes, as: UTF8.self)
      return "\(email) claims \(index.serial(of: customer).raw) since \(index.dates[customer].ms)"
    }
    let serials = (0..<UInt32(index.serialCount)).map { id in
      let text = String(decoding: index.text(of: SerialID(id)).bytes, as: UTF8.self)
      return "\(text) covered \(index.coverage(of: SerialID(id)))"
    }
    return customers + serials
  }

  // MARK: State

  var bytes: [UInt8] { encodedState { index.encode(into: &$0) } }

  static func decode(_ decoder: inout StateDecoder, mode: ConsentMode = .enforce) throws(StateError)
    -> ConsentRun
  {
    ConsentRun(try ConsentIndex(mode: mode, hashSeed: 99, decoding: &decoder))
  }

  /// An index that was encoded and decoded.
  func restored() throws -> ConsentRun {
    try decodedState(bytes) { decoder throws(StateError) in
      try ConsentRun.decode(&decoder, mode: self.index.mode)
    }
  }
}
