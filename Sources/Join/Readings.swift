// Readings as the join keeps them: plain values of fixed width, in a total order by time first.
//
// Invariant: two readings are equal in that order if and only if all their values are equal, so that
// an exact repeat is found by the search that finds a reading's place. (Coordinates of more than 16
// characters together are compared by 96 bits of hash.)

import CFastPath
import Records

/// A reading that the join orders.
protocol Reading: BitwiseCopyable {
  var timeMs: Int64 { get }
  /// A strict total order, by time first.
  static func precedes(_ a: Self, _ b: Self) -> Bool
}

/// A trusted accelerometer reading. The coordinates are the text they came as.
public struct AccelerometerReading: Reading, BitwiseCopyable {
  public let timeMs: Int64
  let customerRaw: UInt32
  /// The lengths of x, y and z, and whether their text is in the slab: one number to compare.
  let shape: UInt32
  /// The text, or its hash.
  let low: UInt64
  /// The text's rest; or more hash in the upper half and the slab's cell in the lower.
  let high: UInt64

  static let inlineBytes = 16

  public var customer: CustomerID { CustomerID(customerRaw) }
  /// The lengths of the coordinates' texts in bytes.
  public var xLength: Int { Int(shape & 0xFF) }
  public var yLength: Int { Int(shape >> 8 & 0xFF) }
  public var zLength: Int { Int(shape >> 16 & 0xFF) }
  var textLength: Int { xLength + yLength + zLength }
  var isLong: Bool { shape >> 24 != 0 }
  private var comparedHigh: UInt64 { isLong ? high >> 32 : high }

  /// Reads the values of a record; a text that is too long for the inside is stored only by `settle`.
  init(_ record: Record) {
    timeMs = record.time_ms
    customerRaw = record.subject
    let lengths = UInt32(record.x_length) | UInt32(record.y_length) << 8 | UInt32(record.z_length) << 16
    let length = Int(record.x_length) + Int(record.y_length) + Int(record.z_length)
    if length <= Self.inlineBytes {
      var text: (UInt64, UInt64) = (0, 0)
      withUnsafeMutableBytes(of: &text) {
        $0.copyMemory(from: UnsafeRawBufferPointer(start: record.numbers, count: length))
      }
      shape = lengths
      (low, high) = text
    } else {
      shape = lengths | 1 << 24
      low = sg_xxh3(record.numbers, length, 0)
      high = sg_xxh3(record.numbers, length, 1) & 0xFFFF_FFFF_0000_0000
    }
  }

  private init(_ other: AccelerometerReading, cell: UInt32) {
    timeMs = other.timeMs
    customerRaw = other.customerRaw
    shape = other.shape
    low = other.low
    high = other.high | UInt64(cell)
  }

  /// The handle of a long text.
  var handle: TextHandle { TextHandle(cell: UInt32(truncatingIfNeeded: high), length: UInt32(textLength)) }

  /// The same reading with its long text in the slab.
  func settled(_ record: Record, in slab: inout TextSlab) -> AccelerometerReading {
    guard isLong else { return self }
    let handle = slab.store(UnsafeRawBufferPointer(start: record.numbers, count: textLength))
    return AccelerometerReading(self, cell: handle.cell)
  }

  static func precedes(_ a: AccelerometerReading, _ b: AccelerometerReading) -> Bool {
    if a.timeMs != b.timeMs { return a.timeMs < b.timeMs }
    if a.customerRaw != b.customerRaw { return a.customerRaw < b.customerRaw }
    if a.shape != b.shape { return a.shape < b.shape }
    return a.low != b.low ? a.low < b.low : a.comparedHigh < b.comparedHigh
  }
}

/// A step trainer reading: trusted, or held until it is.
public struct StepTrainerReading: Reading, BitwiseCopyable, Equatable {
  public let timeMs: Int64
  public let distance: Int64
  let serialRaw: UInt32

  public var serial: SerialID { SerialID(serialRaw) }

  public init(_ record: Record) {
    timeMs = record.time_ms
    distance = record.distance
    serialRaw = record.subject
  }

  static func precedes(_ a: StepTrainerReading, _ b: StepTrainerReading) -> Bool {
    if a.timeMs != b.timeMs { return a.timeMs < b.timeMs }
    return a.serialRaw != b.serialRaw ? a.serialRaw < b.serialRaw : a.distance < b.distance
  }
}

/// A step trainer reading and an accelerometer reading that belong together.
public struct Pair: BitwiseCopyable {
  public let stepTrainer: StepTrainerReading
  public let accelerometer: AccelerometerReading
}
