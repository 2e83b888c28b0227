// An engine's state, apart from its settings and files: what a checkpoint keeps of it.
//
// Invariant: an engine that goes on from a decoded state writes the same rows as the one that was encoded.

import Consent
import Join
import Records
import SegmentLog

/// The state to go on from.
public struct EngineState {
  let consent: ConsentIndex
  let join: IntervalJoin
  var counts = VerdictCounts()
  /// The latest arrival.
  var clockMs = Int64.min
  /// Which multiple of the segment age that was in.
  var agePeriod: Int64?
  /// Where each table's next row goes; a table that is not here begins.
  var positions: [Table: TablePosition] = [:]

  /// The state before the first record.
  /// - Parameter hashSeed: random for each process; fixed in tests.
  public init(_ settings: EngineSettings, hashSeed: UInt64 = .random(in: .min ... .max)) {
    consent = ConsentIndex(mode: settings.consent, hashSeed: hashSeed)
    join = IntervalJoin(settings: settings.join)
  }

  /// Decodes what `Engine.encode` gave.
  /// - Parameters:
  ///   - settings: those that were in force.
  ///   - hashSeed: random for each process; fixed in tests.
  public init(
    _ settings: EngineSettings, hashSeed: UInt64 = .random(in: .min ... .max),
    decoding decoder: inout StateDecoder
  ) throws(StateError) {
    clockMs = try decoder.read(Int64.self)
    agePeriod = try decoder.readFlag() ? try decoder.read(Int64.self) : nil
    for _ in 0..<(try decoder.readCount(elementBytes: 28)) {
      let (table, position) = try Self.position(&decoder)
      guard positions.updateValue(position, forKey: table) == nil else {
        throw decoder.error("a table's position twice")
      }
    }
    counts = try VerdictCounts(decoding: &decoder)
    consent = try ConsentIndex(mode: settings.consent, hashSeed: hashSeed, decoding: &decoder)
    join = try IntervalJoin(
      settings: settings.join, decoding: &decoder, customerCount: consent.customerCount,
      serialCount: consent.serialCount, clockMs: clockMs)
    guard counts.held == join.unsettledCount else {
      throw decoder.error("another number of held readings than was counted")
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
}

extension Engine {
  /// Appends the state. Only after `flush`.
  public func encode(into encoder: inout StateEncoder) {
    encoder.append(clockMs)
    encoder.append(agePeriod != nil)
    if let agePeriod { encoder.append(agePeriod) }
    let positions = tablePositions.sorted { $0.key.rawValue < $1.key.rawValue }
    encoder.append(count: positions.count)
    for (table, position) in positions {
      var name = table.name
      name.withUTF8 { encoder.append(text: UnsafeRawBufferPointer($0)) }
      encoder.append(sum: position.baseOffset)
      encoder.append(sum: position.byte)
      encoder.append(sum: position.offset)
    }
    counts.encode(into: &encoder)
    consent.encode(into: &encoder)
    join.encode(into: &encoder)
  }
}
