// A batch of journal entries in one piece of memory, in the bytes they have on disk. Filled by the
// network or by the reader, written by the writer, walked by the engine: none of them copies it.
//
// Invariants: the bytes are whole entries; 64 bytes behind them can be read (simdjson reads past its
// input); nothing is allocated while entries fit what the buffer once grew to.

import Storage

/// A reusable batch of entries. One thread at a time; pointers into it are good until it is changed.
public final class EntryBuffer {
  /// The readable bytes behind the entries.
  public static let slackBytes = 64

  /// The position of the first entry in the journal; nil until the writer or the reader has set it.
  public private(set) var basePosition: Int?
  public private(set) var byteCount = 0
  public private(set) var entryCount = 0
  private var memory: UnsafeMutableRawPointer
  /// The bytes that entries may take; `memory` has the slack besides.
  private var capacityBytes: Int

  public init(capacityBytes: Int = 256 * 1024) {
    precondition(capacityBytes > 0)
    self.capacityBytes = capacityBytes
    memory = Self.allocate(capacityBytes)
  }

  deinit { memory.deallocate() }

  /// Forgets the entries, keeps the memory.
  public func reset() {
    byteCount = 0
    entryCount = 0
    basePosition = nil
  }

  /// Adds an entry, copying topic and payload.
  ///
  /// - Parameters:
  ///   - packetID: the MQTT packet id, 0 if there is none.
  ///   - flags: kept as they are.
  ///   - topic: at most 65,535 bytes (MQTT 5, section 1.5.4).
  ///   - payload: less than 4 GiB.
  ///   - originalPayloadBytes: the length that came; more than `payload` has if it was cut. Nil: it was not.
  public func append(
    kind: JournalEntryKind, arrivalMs: Int64, packetID: UInt16 = 0, flags: UInt8 = 0,
    topic: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer, originalPayloadBytes: Int? = nil
  ) {
    let header = EntryHeader(
      arrivalMs: arrivalMs, payloadBytes: payload.count,
      originalPayloadBytes: originalPayloadBytes ?? payload.count, topicBytes: topic.count,
      packetID: packetID, kind: kind.rawValue, flags: flags)
    precondition(basePosition == nil, "the entries were written; reset the buffer first")
    precondition(topic.count <= UInt16.max && payload.count <= header.originalPayloadBytes)
    precondition(header.originalPayloadBytes <= UInt32.max)
    let count = header.entryBytes
    reserve(byteCount + count)

    let entry = memory + byteCount
    // The padding is in the last word; what is not padding is written over.
    entry.storeBytes(of: 0, toByteOffset: count - JournalFormat.alignment, as: UInt64.self)
    header.store(to: entry)
    if let bytes = topic.baseAddress {
      (entry + EntryHeader.bytes).copyMemory(from: bytes, byteCount: topic.count)
    }
    if let bytes = payload.baseAddress {
      (entry + EntryHeader.bytes + topic.count).copyMemory(from: bytes, byteCount: payload.count)
    }
    byteCount += count
    entryCount += 1
  }

  /// Adds another buffer's entries, with this time as their arrival.
  public func append(_ others: EntryBuffer, arrivalMs: Int64) {
    for entry in others {
      append(
        kind: entry.kind, arrivalMs: arrivalMs, packetID: entry.packetID, flags: entry.flags,
        topic: entry.topic, payload: entry.payload, originalPayloadBytes: entry.originalPayloadBytes)
    }
  }

  /// The entries as they are on disk, with zeros for their checksums until they are written.
  public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory, count: byteCount) }

  /// Gives the entries their place in the journal, and with it their checksums. All below
  /// `durablePosition` is on stable storage.
  func seal(at position: Int, durablePosition: Int) {
    precondition(basePosition == nil, "a buffer is written once")
    basePosition = position
    var byte = 0
    while byte < byteCount {
      let count = EntryHeader(at: memory + byte).entryBytes
      EntryHeader.seal(
        memory + byte, count: count, position: position + byte, durablePosition: durablePosition)
      byte += count
    }
  }

  /// Replaces the entries by those that `fill` puts into memory of at least `capacityBytes`, which stand
  /// at `position`. It returns how many whole, good entries there are, and their bytes.
  func load<Failure: Error>(
    at position: Int, capacityBytes: Int,
    _ fill: (UnsafeMutableRawBufferPointer) throws(Failure) -> (entries: Int, bytes: Int)
  ) throws(Failure) {
    reset()
    reserve(capacityBytes)
    let loaded = try fill(UnsafeMutableRawBufferPointer(start: memory, count: self.capacityBytes))
    basePosition = position
    byteCount = loaded.bytes
    entryCount = loaded.entries
  }

  private func reserve(_ count: Int) {
    guard count > capacityBytes else { return }
    var capacity = capacityBytes
    while capacity < count { capacity *= 2 }
    let larger = Self.allocate(capacity)
    larger.copyMemory(from: memory, byteCount: byteCount)
    memory.deallocate()
    memory = larger
    capacityBytes = capacity
  }

  private static func allocate(_ capacity: Int) -> UnsafeMutableRawPointer {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: capacity + slackBytes, alignment: 16)
    (memory + capacity).initializeMemory(as: UInt8.self, repeating: 0, count: slackBytes)
    return memory
  }
}
