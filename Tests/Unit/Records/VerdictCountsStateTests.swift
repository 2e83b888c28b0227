import Records
import Testing
import TestSupport

@Suite struct VerdictCountsStateTests {
  private func encoded(_ counts: VerdictCounts) -> [UInt8] { encodedState { counts.encode(into: &$0) } }

  private func decoded(_ bytes: [UInt8]) throws -> VerdictCounts {
    try decodedState(bytes) { decoder throws(StateError) in try VerdictCounts(decoding: &decoder) }
  }

  private func counts(_ judgements: Int, _ random: inout SeededRandom) -> VerdictCounts {
    var counts = VerdictCounts()
    for _ in 0..<judgements {
      let kind = random.pick(RecordKind.allCases)
      let verdict = random.pick(Verdict.possible(for: kind) + (kind == .stepTrainer ? [.held] : []))
      let number = Int.random(in: 1...1000, using: &random)
      counts.receive(kind, number)
      counts.judge(kind, verdict, number)
    }
    return counts
  }

  @Test func `Counts come back as they were`() throws {
    var random = SeededRandom(seed: testSeed())
    for judgements in 0..<200 {
      let counts = counts(judgements % 20, &random)
      let back = try decoded(encoded(counts))
      #expect(back == counts && back.balance)
    }
  }

  /// Every kind and every verdict, by their raw values.
  @Test func `The counts are these bytes`() throws {
    var counts = VerdictCounts()
    let judged: [(RecordKind, Verdict)] = [
      (.unknown, .malformed), (.customer, .oversized), (.customer, .identityMismatch),
      (.stepTrainer, .future),
      (.customer, .consenting), (.customer, .notConsenting), (.customer, .stale), (.accelerometer, .trusted),
      (.accelerometer, .duplicate), (.accelerometer, .unknownCustomer), (.stepTrainer, .unknownDevice),
      (.stepTrainer, .noConsent), (.stepTrainer, .beforeConsent), (.stepTrainer, .noAccelerometer),
      (.stepTrainer, .held),
    ]
    #expect(Set(judged.map(\.0)) == Set(RecordKind.allCases) && judged.map(\.1) == Verdict.allCases)
    for (number, (kind, verdict)) in judged.enumerated() {
      counts.receive(kind, number + 256)
      counts.judge(kind, verdict, number + 256)
    }
    let pinned = pinnedBytes(
      """
      0f 00 00 00 00 00 00 00        counts
      00 01 01 01 00 00 00 00 00 00  customer, oversized: 257
      00 02 02 01 00 00 00 00 00 00  customer, identity_mismatch
      00 04 04 01 00 00 00 00 00 00  customer, consenting
      00 05 05 01 00 00 00 00 00 00  customer, not_consenting
      00 06 06 01 00 00 00 00 00 00  customer, stale
      01 07 07 01 00 00 00 00 00 00  accelerometer, trusted
      01 08 08 01 00 00 00 00 00 00  accelerometer, duplicate
      01 09 09 01 00 00 00 00 00 00  accelerometer, unknown_customer
      02 03 03 01 00 00 00 00 00 00  step trainer, future
      02 0a 0a 01 00 00 00 00 00 00  step trainer, unknown_device
      02 0b 0b 01 00 00 00 00 00 00  step trainer, no_consent
      02 0c 0c 01 00 00 00 00 00 00  step trainer, before_consent
      02 0d 0d 01 00 00 00 00 00 00  step trainer, no_accelerometer
      02 0e 0e 01 00 00 00 00 00 00  step trainer, held
      03 00 00 01 00 00 00 00 00 00  unknown, malformed
      """)
    #expect(encoded(counts) == pinned)
    #expect(try decoded(pinned) == counts)
  }

  @Test(arguments: [
    ("04 00 01 00 00 00 00 00 00 00", "an unknown kind of record", 8),
    ("00 0f 01 00 00 00 00 00 00 00", "an unknown verdict", 9),
    ("00 0e 01 00 00 00 00 00 00 00", "only readings are held", 9),
    ("00 00 00 00 00 00 00 00 00 00", "a verdict that nothing got", 10),
    ("00 00 ff ff ff ff ff ff ff ff", "a sum that was never counted", 10),
  ])
  func `What was never counted is refused`(entry: String, what: String, byte: Int) {
    let bytes = pinnedBytes("01 00 00 00 00 00 00 00\n" + entry)
    #expect(throws: StateError(what, byte: byte)) { try decoded(bytes) }
  }

  @Test(arguments: [["00 00", "00 00"], ["00 01", "00 00"], ["01 00", "00 00"]])
  func `A verdict stands once, in its place`(entries: [String]) {
    let bytes = pinnedBytes(
      "02 00 00 00 00 00 00 00\n" + entries.map { $0 + " 01 00 00 00 00 00 00 00\n" }.joined())
    #expect(throws: StateError("verdicts out of order", byte: 19)) { try decoded(bytes) }
  }

  @Test func `Damage is harmless`() {
    var random = SeededRandom(seed: testSeed())
    let counts = counts(12, &random)
    expectDamageIsHarmless(
      to: encoded(counts), changes: 5000, &random,
      decode: { decoder throws(StateError) in try VerdictCounts(decoding: &decoder) },
      encode: { $0.encode(into: &$1) },
      use: { state, _ in
        var state = state
        for kind in RecordKind.allCases { state.receive(kind, 1) }
        for kind in RecordKind.allCases { state.judge(kind, .malformed) }
        state.settleHeld(state.held, as: .noAccelerometer)
        #expect(state.balance)
      })
  }
}
