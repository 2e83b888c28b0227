// An engine's state, apart from its settings and files: what a checkpoint keeps of it.
//
// Invariant: an engine that goes on from a decoded state writes the same rows as the one that was encoded.

import Consent
import Join
import Records
import SegmentLog

/// The state to go on from.
public struct EngineState {
  private let hashSeed: UInt64
  private(set) var consent: ConsentIndex
  private(set) var join: IntervalJoin
  private(set) var counts = VerdictCounts()
  /// The latest arrival.
  private(set) var clockMs = Int64.min
  /// Which multiple of the segment age that was in.
  private(set) var agePeriod: Int64?
  /// Where each table's next row goes; a table that is not here begins.
  private(set) var positions: [Table: TablePosition] = [:]

  /// The state before the first record.
  /// - Parameter hashSeed: random for each process; fixed in tests.
  public init(_ settings: EngineSettings, hashSeed: UInt64 = .random(in: .min ... .max)) {
    self.hashSeed = hashSeed
    consent = ConsentIndex(mode: settings.consent, hashSeed: hashSeed)
    join = IntervalJoin(settings: settings.join)
  }
}

// Each part reads back what the engine's encoding of the same name gave, in the order in which they stand here: a part
// is checked against those before it.
extension EngineState {
  public mutating func decodeClock(_ decoder: inout StateDecoder) throws(StateError) {
    clockMs = try decoder.read(Int64.self)
    agePeriod = try decoder.readFlag() ? try decoder.read(Int64.self) : nil
  }

  public mutating func decodePositions(_ decoder: inout StateDecoder) throws(StateError) {
    for _ in 0..<(try decoder.readCount(elementBytes: 28)) {
      let (table, position) = try Self.position(&decoder)
      guard positions.updateValue(position, forKey: table) == nil else {
        throw decoder.error("a table's position twice")
      }
    }
  }

  private static func position(_ decoder: inout StateDecoder) throws(StateError) -> (Table, TablePosition) {
    guard let table = Table.named(String(decoding: try decoder.readText(), as: UTF8.self)) else {
      throw decoder.error("a table that is not known")
    }
    let (base, byte, offset) = (try decoder.readSum(), try decoder.readSum(), try decoder.readSum())
    guard offset >= base else { throw decoder.error("a row before its segment's first") }
    guard (byte == 0) == (offset == base) else { throw decoder.error("a position not between two rows") }
    return (table, TablePosition(baseOffset: base, byte: byte, offset: offset))
  }

  public mutating func decodeCounts(_ decoder: inout StateDecoder) throws(StateError) {
    counts = try VerdictCounts(decoding: &decoder)
  }

  public mutating func decodeConsent(_ decoder: inout StateDecoder) throws(StateError) {
    consent = try ConsentIndex(mode: consent.mode, hashSeed: hashSeed, decoding: &decoder)
  }

  public mutating func decodeJoin(_ decoder: inout StateDecoder) throws(StateError) {
    join = try IntervalJoin(
      settings: join.settings, decoding: &decoder, customerCount: consent.customerCount,
      serialCount: consent.serialCount, clockMs: clockMs)
    guard counts.held == join.unsettledCount else {
      throw decoder.error("another number of held readings than was counted")
    }
  }
}

// Only when no row waits in memory.
extension Engine {
  public func encodeClock(into encoder: inout StateEncoder) {
    encoder.append(clockMs)
    encoder.append(agePeriod != nil)
    if let agePeriod { encoder.append(agePeriod) }
  }

  public func encodePositions(into encoder: inout StateEncoder) {
    let positions = tables.positions.sorted { $0.key.rawValue < $1.key.rawValue }
    encoder.append(count: positions.count)
    for (table, position) in positions {
      var name = table.name
      name.withUTF8 { encoder.append(text: UnsafeRawBufferPointer($0)) }
      encoder.append(sum: position.baseOffset)
      encoder.append(sum: position.byte)
      encoder.append(sum: position.offset)
    }
  }

  public func encodeCounts(into encoder: inout StateEncoder) { counts.encode(into: &encoder) }

  public func encodeConsent(into encoder: inout StateEncoder) { consent.encode(into: &encoder) }

  public func encodeJoin(into encoder: inout StateEncoder) { join.encode(into: &encoder) }
}
