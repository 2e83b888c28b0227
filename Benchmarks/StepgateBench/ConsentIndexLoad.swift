// The consent index with very many customers: bytes each, and nanoseconds a look-up with random keys.

import CMallocCount
import Consent
import Glibc
import Records
import TestSupport

/// Customers of whom half consent, in the form in which the engine gets them.
struct ConsentIndexLoad {
  private let customers: Int
  private let index = ConsentIndex(mode: .enforce, hashSeed: 1)
  private let parser = RecordParser()
  private let batch = RecordBatch()
  private let topic = PaddedText(Array("file.json".utf8))
  private let consentMs = 1_655_000_000_000
  // Records parsed at a time, about what a block of a file holds; and fetched and judged at a time, as by the engine.
  private let batchRecords = 4_096
  private let groupRecords = 32
  private let lookups = 2_000_000

  init(customers: Int) { self.customers = customers }

  func measure() -> [String: Double] {
    // What the parser keeps for itself is not the index's.
    let last = (customers - batchRecords)..<customers
    parse(last.map(customer), .customer) { _ in }
    parse(last.map { reading(.accelerometer, of: $0) }, .accelerometer) { _ in }
    let before = Int(malloc_count_resident_bytes())
    for first in stride(from: 0, to: customers, by: batchRecords) {
      addCustomers(first..<min(first + batchRecords, customers))
    }
    let loaded = Int(malloc_count_resident_bytes()) - before
    curateAll()
    let curated = Int(malloc_count_resident_bytes()) - before
    return [
      "loaded_bytes_a_customer": Double(loaded) / Double(customers),
      "curated_bytes_a_customer": Double(curated) / Double(customers),
      "lookup_ns": lookUp(.accelerometer) {
        _ = index.fetchCustomers($0, serials: $1)
        index.judgeAccelerometer($2, latest: .distantFuture)
      },
      "serial_lookup_ns": lookUp(.stepTrainer) {
        _ = index.fetchSerials($0, serials: $1)
        index.judgeStepTrainer($2, latest: .distantFuture)
      },
    ]
  }

  // MARK: Filling

  private func addCustomers(_ numbers: Range<Int>) {
    parse(numbers.map(customer), .customer) { records in
      for record in records {
        precondition(record.problem == 0)
        let row = UnsafeRawBufferPointer(start: record.text, count: Int(record.text_length))
        _ = index.apply(record, batch.customer(of: record), row: row, arrivalMs: 0)
      }
    }
  }

  // Each customer's first reading makes it curated, and its row leaves the index.
  private func curateAll() {
    let row = UnsafeMutableRawPointer.allocate(byteCount: 4_096, alignment: 1)
    defer { row.deallocate() }
    for first in stride(from: 0, to: customers, by: batchRecords) {
      let numbers = first..<min(first + batchRecords, customers)
      parse(numbers.map { reading(.accelerometer, of: $0) }, .accelerometer) { records in
        index.judgeAccelerometer(records, latest: .distantFuture)
        for record in records where record.curates != 0 {
          index.takeRow(of: CustomerID(record.subject)) { _ in row }
        }
      }
    }
  }

  // MARK: Looking up

  private func lookUp(
    _ kind: RecordKind,
    _ judge: (
      _ readings: ConsentIndex.Readings,
      _ serials: UnsafeMutableBufferPointer<SerialID>,
      UnsafeMutableBufferPointer<Record>
    ) -> Void
  ) -> Double {
    let readings = UnsafeMutableBufferPointer<UnsafeMutablePointer<Record>>.allocate(capacity: groupRecords)
    let serials = UnsafeMutableBufferPointer<SerialID>.allocate(capacity: groupRecords)
    defer {
      readings.deallocate()
      serials.deallocate()
    }
    var random = SeededRandom(seed: 1)
    var ns: UInt64 = 0
    for _ in 0..<lookups / batchRecords {
      let texts = (0..<batchRecords).map { _ in
        reading(kind, of: Int.random(in: 0..<customers, using: &random))
      }
      parse(texts, kind) { records in
        let start = clock_gettime_nsec()
        for first in stride(from: 0, to: records.count, by: groupRecords) {
          let group = UnsafeMutableBufferPointer(rebasing: records[first..<first + groupRecords])
          for place in group.indices { readings[place] = group.baseAddress! + place }
          judge(UnsafeBufferPointer(readings), serials, group)
        }
        ns += clock_gettime_nsec() - start
      }
    }
    return Double(ns) / Double(lookups / batchRecords * batchRecords)
  }

  private func clock_gettime_nsec() -> UInt64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
  }

  // MARK: Records

  private func parse(
    _ texts: [String], _ kind: RecordKind, _ body: (UnsafeMutableBufferPointer<Record>) -> Void
  ) {
    let text = PaddedText(Array(texts.joined(separator: "\n").utf8))
    parser.parse(lines: text.bytes, kind: kind, arrivalMs: 0, topic: topic.bytes, into: batch)
    body(batch.records)
    batch.clear()
  }

  private func customer(_ number: Int) -> String {
    let consent = number % 2 == 0 ? #","shareWithResearchAsOfDate":\#(consentMs)"# : ""
    return #"{"customerName":"Customer \#(number)","email":"\#(email(number))","phone":"8015551212","#
      + #""birthDay":"1980-01-01","serialNumber":"\#(serialNumber(number))","registrationDate":\#(consentMs),"#
      + #""lastUpdateDate":\#(consentMs)\#(consent)}"#
  }

  private func reading(_ kind: RecordKind, of number: Int) -> String {
    let timeMs = consentMs + 1
    return kind == .accelerometer
      ? #"{"user":"\#(email(number))","timestamp":\#(timeMs),"x":1.0,"y":0.0,"z":-1.0}"#
      : #"{"sensorReadingTime":\#(timeMs),"serialNumber":"\#(serialNumber(number))","distanceFromObject":1}"#
  }

  private func email(_ number: Int) -> String { "customer.\(number)@example.com" }

  // As long as the UUIDs of the real data.
  private func serialNumber(_ number: Int) -> String {
    let digits = String(UInt64(number) &* 0x9E37_79B9_7F4A_7C15, radix: 16)
    return "1a2b3c4d-5e6f-7081-" + String(repeating: "0", count: 17 - min(17, digits.count)) + digits
  }
}
