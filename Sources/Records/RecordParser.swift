// Bytes to records. All JSON is read by simdjson behind CFastPath; this file only calls it.
//
// Invariants: no bytes make it throw or trap; every payload yields at least one record.

import CFastPath

/// Parses payloads and lines into batches. One thread at a time.
// Moved to the parsing thread once and used only there.
public final class RecordParser: @unchecked Sendable {
  private let parser: OpaquePointer

  public init() {
    parser = sg_parser_create()
  }

  deinit { sg_parser_destroy(parser) }

  /// Appends the records of one message's payload: an object, an array of objects, or lines.
  /// - Parameter payload: must be readable for `textSlack` bytes behind its end.
  public func parse(
    payload: UnsafeRawBufferPointer, route: TopicRoute, arrivalMs: Int64, topic: UnsafeRawBufferPointer,
    into batch: RecordBatch
  ) {
    guard route.kind != .unknown else {
      return refuse(payload, .unknownTopic, kind: .unknown, arrivalMs: arrivalMs, topic: topic, into: batch)
    }
    batch.addRun(route.kind, arrivalMs: arrivalMs, topic: topic, topicIdentity: route.identity) { storage in
      sg_parse_payload(parser, storage, Int32(route.kind.rawValue), bytes(payload), payload.count)
    }
  }

  /// Appends the records of whole lines of a file; blank lines are none.
  /// - Parameter lines: must be readable for `textSlack` bytes behind its end.
  public func parse(
    lines: UnsafeRawBufferPointer, kind: RecordKind, arrivalMs: Int64, topic: UnsafeRawBufferPointer,
    into batch: RecordBatch
  ) {
    batch.addRun(kind, arrivalMs: arrivalMs, topic: topic, topicIdentity: nil) { storage in
      sg_parse_lines(parser, storage, Int32(kind.rawValue), bytes(lines), lines.count)
    }
  }

  /// Appends one record that is refused unread.
  public func refuse(
    _ text: UnsafeRawBufferPointer, _ problem: Problem, kind: RecordKind, arrivalMs: Int64,
    topic: UnsafeRawBufferPointer, into batch: RecordBatch
  ) {
    batch.addRun(kind, arrivalMs: arrivalMs, topic: topic, topicIdentity: nil) { storage in
      sg_batch_refuse(storage, bytes(text), text.count, problem.rawValue)
    }
  }

  /// Whether the text is one complete JSON object or array (with `textSlack` readable bytes behind it).
  public func isComplete(_ text: UnsafeRawBufferPointer) -> Bool {
    sg_is_complete(parser, bytes(text), text.count)
  }

  private func bytes(_ buffer: UnsafeRawBufferPointer) -> UnsafePointer<UInt8> {
    // An empty buffer has no address, and C++ wants one.
    (buffer.baseAddress ?? Self.nothing).assumingMemoryBound(to: UInt8.self)
  }

  private nonisolated(unsafe) static let nothing = UnsafeRawPointer(
    UnsafeMutableRawPointer.allocate(byteCount: textSlack, alignment: 8).initializeMemory(
      as: UInt8.self, repeating: 0, count: textSlack))
}
