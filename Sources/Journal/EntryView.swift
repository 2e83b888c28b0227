// An entry as its readers see it: a few numbers, and pointers into the batch it is in.

/// One entry of an `EntryBuffer`; good until the buffer is changed or gone.
public struct EntryView {
  public let kind: JournalEntryKind
  /// Milliseconds since 1970-01-01 UTC.
  public let arrivalMs: Int64
  /// The MQTT packet id, 0 if there is none.
  public let packetID: UInt16
  public let flags: UInt8
  public let topic: UnsafeRawBufferPointer
  /// At least 64 bytes behind it can be read.
  public let payload: UnsafeRawBufferPointer
  /// The length of the payload that came.
  public let originalPayloadBytes: Int
  /// Where the entry begins in the journal; nil if it is in none yet.
  public let position: Int?

  /// The payload was too long and is here only in part.
  public var isCut: Bool { originalPayloadBytes > payload.count }
}

extension EntryBuffer: Sequence {
  /// Walks the entries in order. The buffer must stay as it is meanwhile.
  public struct Iterator: IteratorProtocol {
    /// Keeps alive what `rest` points into.
    private let buffer: EntryBuffer
    private var rest: UnsafeRawBufferPointer
    private var position: Int?

    init(_ buffer: EntryBuffer) {
      self.buffer = buffer
      rest = buffer.bytes
      position = buffer.basePosition
    }

    public mutating func next() -> EntryView? {
      guard let entry = rest.baseAddress, !rest.isEmpty else { return nil }
      let header = EntryHeader(at: entry)
      guard let kind = JournalEntryKind(rawValue: header.kind) else {
        preconditionFailure("the reader lets no entry of an unknown kind in")
      }
      let topic = UnsafeRawBufferPointer(start: entry + EntryHeader.bytes, count: header.topicBytes)
      let payload = UnsafeRawBufferPointer(
        start: entry + EntryHeader.bytes + header.topicBytes, count: header.payloadBytes)
      let view = EntryView(
        kind: kind, arrivalMs: header.arrivalMs, packetID: header.packetID, flags: header.flags,
        topic: topic, payload: payload, originalPayloadBytes: header.originalPayloadBytes,
        position: position)
      rest = UnsafeRawBufferPointer(rebasing: rest[header.entryBytes...])
      position = position.map { $0 + header.entryBytes }
      return view
    }
  }

  public func makeIterator() -> Iterator { Iterator(self) }

  public var underestimatedCount: Int { entryCount }
}
