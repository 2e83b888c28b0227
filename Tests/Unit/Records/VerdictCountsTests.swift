import Records
import Testing
import TestSupport

@Suite struct VerdictCountsTests {
  @Test func `Received is the sum of all verdicts and what is held`() {
    var random = SeededRandom(seed: testSeed())
    var counts = VerdictCounts()
    for _ in 0..<1000 {
      let kind = random.pick(RecordKind.allCases)
      let verdict = random.pick(Verdict.possible(for: kind) + (kind == .stepTrainer ? [.held] : []))
      let number = Int.random(in: 1...5, using: &random)
      counts.receive(kind, number)
      #expect(!counts.balance)
      counts.judge(kind, verdict, number)
      if random.oneIn(3) { counts.settleHeld(counts.held / 2, as: .trusted) }
      #expect(counts.balance)
    }
    let held = counts.held
    let before = counts[.stepTrainer, .noAccelerometer]
    counts.settleHeld(held, as: .noAccelerometer)
    #expect(counts.held == 0)
    #expect(counts[.stepTrainer, .noAccelerometer] == before + held)
    #expect(counts.balance)
  }

  @Test func `Kinds are counted apart`() {
    var counts = VerdictCounts()
    counts.receive(.accelerometer, 2)
    counts.judge(.accelerometer, .trusted, 2)
    #expect(counts[.accelerometer, .trusted] == 2)
    #expect(counts[.stepTrainer, .trusted] == 0)
    #expect(counts.received(.accelerometer) == 2)
    #expect(counts.received(.stepTrainer) == 0)
  }

  @Test func `The verdicts have the names of the contract`() {
    let names = { (kind: RecordKind) in Set(Verdict.possible(for: kind).map(\.name)) }
    let all: Set = ["malformed", "oversized", "identity_mismatch"]
    #expect(names(.customer) == all.union(["consenting", "not_consenting", "stale"]))
    #expect(
      names(.accelerometer)
        == all.union(["trusted", "duplicate", "future", "unknown_customer", "no_consent", "before_consent"]))
    #expect(
      names(.stepTrainer)
        == all.union([
          "trusted", "duplicate", "future", "unknown_device", "no_consent", "before_consent",
          "no_accelerometer",
        ]))
  }
}
