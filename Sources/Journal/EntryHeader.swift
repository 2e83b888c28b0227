// An entry: a header of 40 bytes, the topic, the payload, and zeros up to a multiple of 8.
//
//      0  UInt64  checksum: XXH3-64 of all that follows in the entry, seeded with its position
//      8  Int64   arrival, ms since 1970-01-01 UTC
//     16  UInt64  durable position: all entries below it were on stable storage when this was written
//     24  UInt32  payload, bytes
//     28  UInt32  original payload, bytes: more than the above if the payload was cut
//     32  UInt16  topic, bytes
//     34  UInt16  MQTT packet id, 0 if there is none
//     36  UInt8   kind
//     37  UInt8   flags, the writer's own
//     38  UInt16  header check: the low half-word of the XXH3-64 of bytes 8 ..< 38, seeded likewise
//
// The position as the seed lets no entry pass that is stale or was moved. The header check says cheaply
// whether the lengths may be believed; only the checksum says whether the entry may. The durable position
// tells damage from a torn write (SegmentScanner).

import Storage

struct EntryHeader {
  static let bytes = 40

  var arrivalMs: Int64
  var durablePosition = 0
  var payloadBytes: Int
  var originalPayloadBytes: Int
  var topicBytes: Int
  var packetID: UInt16
  var kind: UInt8
  var flags: UInt8

  /// The length of the whole entry.
  var entryBytes: Int {
    Self.entryBytes(topicBytes: topicBytes, payloadBytes: payloadBytes)
  }

  static func entryBytes(topicBytes: Int, payloadBytes: Int) -> Int {
    (bytes + topicBytes + payloadBytes + JournalFormat.alignment - 1) & ~(JournalFormat.alignment - 1)
  }
}

extension EntryHeader {
  /// Reads the header at `entry`, which is aligned to 8.
  init(at entry: UnsafeRawPointer) {
    arrivalMs = Int64(littleEndian: entry.load(fromByteOffset: 8, as: Int64.self))
    durablePosition = Int(
      truncatingIfNeeded: UInt64(littleEndian: entry.load(fromByteOffset: 16, as: UInt64.self)))
    payloadBytes = Int(UInt32(littleEndian: entry.load(fromByteOffset: 24, as: UInt32.self)))
    originalPayloadBytes = Int(UInt32(littleEndian: entry.load(fromByteOffset: 28, as: UInt32.self)))
    topicBytes = Int(UInt16(littleEndian: entry.load(fromByteOffset: 32, as: UInt16.self)))
    packetID = UInt16(littleEndian: entry.load(fromByteOffset: 34, as: UInt16.self))
    kind = Self.kind(at: entry)
    flags = entry.load(fromByteOffset: 37, as: UInt8.self)
  }

  static func kind(at entry: UnsafeRawPointer) -> UInt8 { entry.load(fromByteOffset: 36, as: UInt8.self) }

  /// Writes the header, with zeros for its checksums.
  func store(to entry: UnsafeMutableRawPointer) {
    entry.storeBytes(of: 0, toByteOffset: 0, as: UInt64.self)
    entry.storeBytes(of: arrivalMs.littleEndian, toByteOffset: 8, as: Int64.self)
    entry.storeBytes(of: UInt64(durablePosition).littleEndian, toByteOffset: 16, as: UInt64.self)
    entry.storeBytes(of: UInt32(payloadBytes).littleEndian, toByteOffset: 24, as: UInt32.self)
    entry.storeBytes(of: UInt32(originalPayloadBytes).littleEndian, toByteOffset: 28, as: UInt32.self)
    entry.storeBytes(of: UInt16(topicBytes).littleEndian, toByteOffset: 32, as: UInt16.self)
    entry.storeBytes(of: packetID.littleEndian, toByteOffset: 34, as: UInt16.self)
    entry.storeBytes(of: kind, toByteOffset: 36, as: UInt8.self)
    entry.storeBytes(of: flags, toByteOffset: 37, as: UInt8.self)
    entry.storeBytes(of: 0, toByteOffset: 38, as: UInt16.self)
  }

  /// Completes the entry of `count` bytes for the position it is to have.
  static func seal(_ entry: UnsafeMutableRawPointer, count: Int, position: Int, durablePosition: Int) {
    entry.storeBytes(of: UInt64(durablePosition).littleEndian, toByteOffset: 16, as: UInt64.self)
    let check = headerCheck(entry, position: position)
    entry.storeBytes(of: check.littleEndian, toByteOffset: 38, as: UInt16.self)
    let sum = entryChecksum(entry, count: count, position: position)
    entry.storeBytes(of: sum.littleEndian, toByteOffset: 0, as: UInt64.self)
  }
}

/// What stands where an entry should.
enum EntryState: Equatable {
  /// An entry of so many bytes, its checksum right.
  case whole(Int)
  /// An entry may begin here, but so many bytes are needed to tell.
  case needs(Int)
  case bad

  /// Looks at the beginning of `bytes`, which is aligned to 8.
  init(_ bytes: UnsafeRawBufferPointer, position: Int) {
    guard bytes.count >= EntryHeader.bytes, let entry = bytes.baseAddress else {
      self = .needs(EntryHeader.bytes)
      return
    }
    let check = UInt16(littleEndian: entry.load(fromByteOffset: 38, as: UInt16.self))
    guard check == headerCheck(entry, position: position) else {
      self = .bad
      return
    }
    let count = EntryHeader(at: entry).entryBytes
    guard bytes.count >= count else {
      self = .needs(count)
      return
    }
    let sum = UInt64(littleEndian: entry.load(as: UInt64.self))
    self = sum == entryChecksum(entry, count: count, position: position) ? .whole(count) : .bad
  }
}

private func headerCheck(_ entry: UnsafeRawPointer, position: Int) -> UInt16 {
  UInt16(
    truncatingIfNeeded: checksum(UnsafeRawBufferPointer(start: entry + 8, count: 30), seed: UInt64(position)))
}

private func entryChecksum(_ entry: UnsafeRawPointer, count: Int, position: Int) -> UInt64 {
  checksum(UnsafeRawBufferPointer(start: entry + 8, count: count - 8), seed: UInt64(position))
}
