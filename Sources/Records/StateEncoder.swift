// The state of the pipeline's parts as bytes, for checkpoints: little-endian integers of fixed width, and
// texts behind their lengths, one after the other.
//
// Only a value's place says what it is. Each part describes its bytes where it encodes them, and a test pins
// them; the version is the checkpoint's.
//
// Invariant: the same state gives the same bytes, whatever its history and however it lies in memory.

import Glibc

/// A growing buffer of encoded state. What a part appends, `StateDecoder` reads back in the same order.
///
/// Who encodes often keeps it and calls `reset`: to touch fresh memory takes longer than to encode (measured:
/// a million readings 42 ms, and 18 ms from the second time on).
public struct StateEncoder: ~Copyable {
  @usableFromInline var memory: UnsafeMutableRawPointer
  @usableFromInline var capacityBytes: Int
  @usableFromInline var usedBytes = 0

  public init(capacityBytes: Int = 64 << 10) {
    precondition(capacityBytes > 0)
    self.capacityBytes = capacityBytes
    memory = Self.checked(malloc(capacityBytes))
  }

  deinit { free(memory) }

  /// What was appended so far; good until more is.
  public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory, count: usedBytes) }

  /// Forgets the bytes, keeps the memory.
  public mutating func reset() { usedBytes = 0 }

  /// Room for a piece whose bytes the caller writes, good until more is appended.
  @inlinable public mutating func append(length: Int) -> UnsafeMutableRawPointer {
    if length > capacityBytes - usedBytes { grow(length) }
    defer { usedBytes += length }
    return memory + usedBytes
  }

  // realloc moves large pieces by their page tables, so that growing copies nothing.
  @usableFromInline mutating func grow(_ length: Int) {
    while length > capacityBytes - usedBytes { capacityBytes *= 2 }
    memory = Self.checked(realloc(memory, capacityBytes))
  }

  private static func checked(_ memory: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer {
    guard let memory else { preconditionFailure("out of memory") }
    return memory
  }

  /// Appends an integer in its own width.
  @inlinable public mutating func append<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value) {
    append(length: MemoryLayout<Value>.size).storeBytes(of: value.littleEndian, as: Value.self)
  }

  /// Appends a Bool, a byte 0 or 1.
  @inlinable public mutating func append(_ flag: Bool) { append(flag ? 1 as UInt8 : 0) }

  /// Appends the number of elements that follow, 8 bytes.
  @inlinable public mutating func append(count: Int) { append(UInt64(count)) }

  /// Appends a sum that only grows, 8 bytes; beyond `StateDecoder.sumLimit` it is written as that.
  @inlinable public mutating func append(sum: Int) { append(UInt64(min(sum, StateDecoder.sumLimit))) }

  /// Appends a section: a tag, the number of bytes that `body` appends, 8 bytes, and these.
  public mutating func append(section tag: UInt32, _ body: (inout StateEncoder) -> Void) {
    append(tag)
    let place = usedBytes
    append(0 as UInt64)
    let start = usedBytes
    body(&self)
    (memory + place).storeBytes(of: UInt64(usedBytes - start).littleEndian, as: UInt64.self)
  }

  /// Appends a text behind its length, 4 bytes.
  public mutating func append(text: UnsafeRawBufferPointer) {
    append(UInt32(text.count))
    if let start = text.baseAddress {
      append(length: text.count).copyMemory(from: start, byteCount: text.count)
    }
  }
}
