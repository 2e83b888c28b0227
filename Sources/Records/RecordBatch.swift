// Parsed records of one or more messages, in order of arrival, with the memory behind them.
//
// Invariants:
// - Records point into the texts they were parsed from, so those must outlive the batch's content.
// - The runs cover the records without gap or overlap, in order.
// - A batch is filled by one thread and then handed on whole: it is never shared.

import CFastPath

/// One record as CFastPath fills it; the engine adds verdict and subject.
public typealias Record = sg_record

extension Record {
  /// The email or serial number; empty where the record has a problem. Lives as long as the texts.
  @inlinable public var identityBytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: identity, count: Int(identity_length))
  }
}

/// The fields that only customers have.
public typealias CustomerFields = sg_customer

// `raw` is in the order of the columns (Table.customerTrusted); a date is nil where its column is empty.
extension CustomerFields {
  @inlinable public var lastUpdateMs: Int64? { raw.2.length > 0 ? last_update_ms : nil }
  @inlinable public var registrationMs: Int64? { raw.3.length > 0 ? registration_ms : nil }
  /// `shareWithResearchAsOfDate`.
  @inlinable public var researchMs: Int64? { raw.4.length > 0 ? research_ms : nil }
}

/// Bytes behind a text that the parser may read (simdjson's padding).
public let textSlack = SG_TEXT_SLACK

/// The records of one message, or of one block of a file.
public struct Run {
  public let kind: RecordKind
  public let first: Int
  public let count: Int
  /// When the message arrived, milliseconds since 1970-01-01 UTC.
  public let arrivalMs: Int64
  /// The topic (a file's path in a replay), for the quarantine. Lives as long as the texts.
  public let topic: UnsafeRawBufferPointer
}

/// A level of a topic that must equal a field of the payload.
public struct TopicIdentity {
  public let field: IdentityField
  /// Lives as long as the texts.
  public let level: UnsafeRawBufferPointer
}

/// A reusable container of parsed records.
// Handed from the parsing to the judging thread through a queue; used by one of them at a time.
public final class RecordBatch: @unchecked Sendable {
  private let storage: OpaquePointer
  public private(set) var runs: [Run] = []

  public init() {
    storage = sg_batch_create()
  }

  deinit { sg_batch_destroy(storage) }

  /// All records. Good until the batch is next parsed into or cleared.
  public var records: UnsafeMutableBufferPointer<Record> {
    UnsafeMutableBufferPointer(start: sg_batch_records(storage), count: sg_batch_count(storage))
  }

  public var count: Int { sg_batch_count(storage) }

  /// The customer fields of a customer record without a problem.
  public func customer(of record: Record) -> UnsafePointer<CustomerFields> {
    sg_batch_customers(storage) + Int(record.distance)
  }

  /// Forgets the records and keeps the memory.
  public func clear() {
    sg_batch_clear(storage)
    runs.removeAll(keepingCapacity: true)
  }

  /// Lets `fill` append records, and makes them a run. Those that the topic contradicts are refused.
  func addRun(
    _ kind: RecordKind, arrivalMs: Int64, topic: UnsafeRawBufferPointer, topicIdentity: TopicIdentity?,
    fill: (OpaquePointer) -> Void
  ) {
    let first = count
    fill(storage)
    runs.append(Run(kind: kind, first: first, count: count - first, arrivalMs: arrivalMs, topic: topic))
    guard let topicIdentity else { return }
    let records = records
    for place in first..<records.count where records[place].problem == Problem.none.rawValue {
      if !identity(topicIdentity.field, kind, records[place]).elementsEqual(topicIdentity.level) {
        records[place].problem = Problem.identityMismatch.rawValue
      }
    }
  }

  private func identity(_ field: IdentityField, _ kind: RecordKind, _ record: Record)
    -> UnsafeRawBufferPointer
  {
    guard field == .serialNumber, kind == .customer else {
      return record.identityBytes
    }
    let serialNumber = customer(of: record).pointee.serial_number
    return UnsafeRawBufferPointer(start: serialNumber.bytes, count: Int(serialNumber.length))
  }
}
