// Encoded state, read back.
//
// Invariants, whatever the bytes are:
// - Nothing is read out of bounds and nothing traps: what cannot be read is a `StateError`.
// - A count is believed only if the bytes that are left can hold so many elements, so that no more memory is
//   taken, and no more work done, than the bytes are worth.

/// Why bytes are no state.
public struct StateError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What is wrong, as a clause.
  public let what: String
  /// The first byte of the value that is wrong, counted from the beginning of the decoder's bytes.
  public let byte: Int

  public init(_ what: String, byte: Int) {
    self.what = what
    self.byte = byte
  }

  public var description: String { "the state is damaged at byte \(byte): \(what)" }
}

/// Reads what `StateEncoder` appended, in the same order.
public struct StateDecoder {
  /// The largest sum, so large that nothing is ever counted as often, and so small that dozens of such sums
  /// can be added up.
  public static let sumLimit = 1 << 56

  /// The bytes, which must outlive the decoder.
  public let bytes: UnsafeRawBufferPointer
  /// The next byte to be read.
  public var position: Int { nextByte }
  @usableFromInline var nextByte = 0
  /// Where the value begins that was read last.
  @usableFromInline var valueByte = 0

  public init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// An error about the value that was read last.
  public func error(_ what: String) -> StateError { StateError(what, byte: valueByte) }

  /// So many bytes. They are the decoder's own, not copied.
  @inlinable public mutating func readBytes(_ count: Int) throws(StateError) -> UnsafeRawBufferPointer {
    valueByte = nextByte
    guard count <= bytes.count - nextByte else { throw error("it ends too early") }
    defer { nextByte += count }
    return UnsafeRawBufferPointer(rebasing: bytes[nextByte..<nextByte + count])
  }

  /// An integer in its own width.
  @inlinable public mutating func read<Value: FixedWidthInteger & BitwiseCopyable>(
    _ type: Value.Type
  ) throws(StateError) -> Value {
    Value(littleEndian: try readBytes(MemoryLayout<Value>.size).loadUnaligned(as: Value.self))
  }

  /// A Bool.
  public mutating func readFlag() throws(StateError) -> Bool {
    let byte = try read(UInt8.self)
    guard byte <= 1 else { throw error("neither true nor false") }
    return byte == 1
  }

  /// The number of elements that follow.
  /// - Parameter elementBytes: the fewest bytes that an element takes.
  public mutating func readCount(elementBytes: Int) throws(StateError) -> Int {
    let count = try read(UInt64.self)
    guard count <= UInt64((bytes.count - nextByte) / elementBytes) else {
      throw error("a count of more than can follow")
    }
    return Int(count)
  }

  /// A sum that can go on growing: 0 to `sumLimit`.
  public mutating func readSum() throws(StateError) -> Int {
    let sum = try read(UInt64.self)
    guard sum <= UInt64(Self.sumLimit) else { throw error("a sum that was never counted") }
    return Int(sum)
  }

  /// The number of one of those things that may stand here.
  @inlinable public mutating func readID(in range: Range<Int>) throws(StateError) -> UInt32 {
    let id = try read(UInt32.self)
    guard range.contains(Int(id)) else { throw error("a number of nothing that may stand here") }
    return id
  }

  /// A text. Its bytes are the decoder's own, not copied.
  public mutating func readText() throws(StateError) -> UnsafeRawBufferPointer {
    let start = nextByte
    let text = try readBytes(Int(try read(UInt32.self)))
    valueByte = start
    return text
  }

  /// A section: its tag, and a decoder of its bytes alone, which counts bytes as this one does.
  public mutating func readSection() throws(StateError) -> (tag: UInt32, content: StateDecoder) {
    let start = nextByte
    let tag = try read(UInt32.self)
    let count = try readCount(elementBytes: 1)
    var content = StateDecoder(UnsafeRawBufferPointer(rebasing: bytes[..<(nextByte + count)]))
    content.nextByte = nextByte
    nextByte += count
    valueByte = start
    return (tag, content)
  }

  /// The end: an error if there is more.
  public mutating func readEnd() throws(StateError) {
    valueByte = nextByte
    guard nextByte == bytes.count else { throw error("there is more than was written") }
  }
}
