// The verdict counts as bytes:
//
//     counts   count, then for each count that is not 0, by kind and verdict ascending:
//              kind UInt8, verdict UInt8 (their raw values), sum
//
// What is held is the count of `.held`. What was received follows: it is the sum of all of these.

extension VerdictCounts {
  private static let entryBytes = 10

  /// Appends the counts, between two batches: then all that was received has its verdict.
  public func encode(into encoder: inout StateEncoder) {
    assert(balance, "records without a verdict")
    var entries: [(kind: RecordKind, verdict: Verdict, sum: Int)] = []
    for kind in RecordKind.allCases {
      for verdict in Verdict.allCases {
        let sum = kind == .stepTrainer && verdict == .held ? held : self[kind, verdict]
        if sum > 0 { entries.append((kind, verdict, sum)) }
      }
    }
    encoder.append(count: entries.count)
    for entry in entries {
      encoder.append(entry.kind.rawValue)
      encoder.append(entry.verdict.rawValue)
      encoder.append(sum: entry.sum)
    }
  }

  /// Reads back what `encode` appended.
  public init(decoding decoder: inout StateDecoder) throws(StateError) {
    self.init()
    var previous: (kind: UInt8, verdict: UInt8)?
    for _ in 0..<(try decoder.readCount(elementBytes: Self.entryBytes)) {
      guard let kind = RecordKind(rawValue: try decoder.read(UInt8.self)) else {
        throw decoder.error("an unknown kind of record")
      }
      guard let verdict = Verdict(rawValue: try decoder.read(UInt8.self)) else {
        throw decoder.error("an unknown verdict")
      }
      guard verdict != .held || kind == .stepTrainer else { throw decoder.error("only readings are held") }
      let entry = (kind: kind.rawValue, verdict: verdict.rawValue)
      if let previous, entry <= previous { throw decoder.error("verdicts out of order") }
      previous = entry
      let sum = try decoder.readSum()
      guard sum > 0 else { throw decoder.error("a verdict that nothing got") }
      receive(kind, sum)
      judge(kind, verdict, sum)
    }
  }
}
