import Foundation
import Testing

@testable import Simulator

@Suite struct `Simulated fleet` {
  private let nowMs = 1_700_000_000_000

  private func fleet(_ customers: Int, _ readings: Int, seed: UInt64) -> Fleet {
    Fleet(customers: customers, readings: readings, seed: seed, nowMs: nowMs)
  }

  @Test func `The same seed gives the same bytes and another seed others`() {
    func bytes(_ seed: UInt64) -> [[UInt8]] {
      fleet(20, 300, seed: seed).map { Array($0.topic.utf8) + $0.payload }
    }
    #expect(bytes(1) == bytes(1))
    #expect(bytes(1) != bytes(2))
  }

  @Test(arguments: [0, 1, 2, 5, 17, 50, 99, 100, 101, 1_000, 5_003], [1, 3, 8, 40])
  func `Exactly as many readings come out as were asked for`(readings: Int, customers: Int) {
    for seed in UInt64(0)..<2 {
      let records = fleet(customers, readings, seed: seed).flatMap(\.records)
      #expect(records.count { $0.kind != .customer } == readings, "seed \(seed)")
    }
  }

  @Test func `Every verdict occurs from 8 customers and 100 readings on`() {
    for seed in UInt64(0)..<20 {
      let records = fleet(8, 100, seed: seed).flatMap(\.records)
      let verdicts = Set(records.flatMap { [$0.verdict, $0.verdictWithIdentityLevels] })
      #expect(verdicts == Set(ExpectedVerdict.allCases), "seed \(seed)")
      #expect(records.contains { $0.isLate }, "seed \(seed)")
    }
  }

  @Test(arguments: [(8, 100), (20, 1_000), (500, 500), (9, 20_000)], [false, true])
  func `An independent judge comes to the expected verdicts`(size: (Int, Int), withIdentityLevels: Bool) {
    for seed in UInt64(0)..<(size.1 > 1_000 ? 1 : 8) {
      var oracle = FleetOracle(nowMs: nowMs, usesIdentityLevels: withIdentityLevels)
      var expected: [ExpectedRecord] = []
      for message in fleet(size.0, size.1, seed: seed) {
        oracle.judge(message)
        expected += message.records
        guard oracle.verdicts.count == expected.count else {
          Issue.record("seed \(seed): other records than expected in \(message.topic)")
          return
        }
      }
      let verdicts = expected.map { withIdentityLevels ? $0.verdictWithIdentityLevels : $0.verdict }
      for position in verdicts.indices where oracle.verdicts[position] != verdicts[position] {
        Issue.record(
          "seed \(seed), record \(position): \(oracle.verdicts[position]), not \(expected[position])")
        return
      }
      if !withIdentityLevels { #expect(oracle.isLate == expected.map(\.isLate), "seed \(seed)") }
    }
  }

  @Test func `Payloads are single objects, arrays and lines, some with quotes and letters beyond ASCII`() {
    let messages = Array(fleet(30, 2_000, seed: 3))
    let texts = messages.map { String(decoding: $0.payload, as: UTF8.self) }
    #expect(texts.contains { $0.hasPrefix("[") && $0.contains("},{") })
    #expect(texts.contains { $0.contains("}\n{") })
    #expect(texts.count { $0.hasPrefix("{") && !$0.contains("\n") } > messages.count / 2)
    #expect(texts.contains { $0.contains("\\\"") })
    #expect(texts.contains { $0.contains("\\u00") } && texts.contains { $0.contains("ü") })
    #expect(messages.allSatisfy { !$0.topic.contains("+") && !$0.topic.contains("#") })
  }

  @Test func `Customers come first, two of eight share a serial number, readings are nearly in order`() throws
  {
    let messages = Array(fleet(16, 3_000, seed: 4))
    let firstReading = try #require(messages.firstIndex { !$0.topic.hasPrefix("stedi/customer/") })
    #expect(messages[firstReading...].count { $0.topic.hasPrefix("stedi/customer/") } == 2, "withdrawals")
    let serialNumbers = (0..<16).map { fleet(16, 0, seed: 4).customer($0).serialNumber }
    #expect(Set(serialNumbers).count == 14)
    let isUUID = serialNumbers.allSatisfy { UUID(uuidString: $0) != nil }
    #expect(isUUID)
  }
}
