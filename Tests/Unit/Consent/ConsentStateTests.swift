import Records
import Testing
import TestSupport

@testable import Consent

@Suite struct ConsentStateTests {
  private func decoded(_ bytes: [UInt8]) throws -> ConsentRun {
    try decodedState(bytes) { decoder throws(StateError) in try ConsentRun.decode(&decoder) }
  }

  @Test func `An index that was encoded and decoded answers as before`() throws {
    var random = SeededRandom(seed: testSeed())
    let original = ConsentRun()
    var restored = try original.restored()
    for round in 1...6000 {
      let event = ConsentEvent.random(round: round, &random)
      let answer = original.apply(event)
      #expect(restored.apply(event) == answer, "round \(round): \(event)")
      guard random.oneIn(40) else { continue }
      #expect(restored.visible == original.visible, "round \(round)")
      #expect(restored.bytes == original.bytes, "round \(round)")
      restored = try restored.restored()
      #expect(restored.visible == original.visible, "round \(round), decoded")
    }
    #expect(original.index.customerCount == 80 && original.index.serialCount > 20)
  }

  /// Two customers share a serial number, one of them curated; one has left for another; one has none.
  private static let pinnedEvents: [ConsentEvent] = [
    .customer(1, serial: 5, updatedMs: 1, sinceMs: 100, name: "a"),
    .customer(2, serial: nil, updatedMs: 2, sinceMs: nil, name: "b"),
    .customer(3, serial: nil, updatedMs: 3, sinceMs: nil, name: "c"),
    .customer(2, serial: 5, updatedMs: 4, sinceMs: 200, name: "d"),
    .accelerometer(1, timeMs: 100, latestMs: .max),
    .customer(4, serial: nil, updatedMs: 5, sinceMs: nil, name: "e"),
    .customer(3, serial: 6, updatedMs: 6, sinceMs: nil, name: "f"),
  ]

  private static let pinnedRow =
    #"{"email":"c2","lastUpdateDate":4,"customerName":"d","serialNumber":"s5","shareWithResearchAsOfDate":200}"#

  /// The hashes are XXH3's of the rows, made by a C program with xxHash's own interface.
  private static let pinned =
    pinnedBytes(
      """
      04 00 00 00 00 00 00 00  serial numbers
      02 00 00 00 73 35        0: s5
      00 00 00 00              1: anonymous
      00 00 00 00              2: anonymous
      02 00 00 00 73 36        3: s6
      04 00 00 00 00 00 00 00  customers
      02 00 00 00 63 31        0: c1
      64 00 00 00 00 00 00 00  since 100
      01 00 00 00 00 00 00 00  dated 1
      d3 69 ae 5c 3d 4d e6 b0  hash of its row
      00 00 00 00 01           claims 0, curated
      02 00 00 00 63 32        1: c2
      c8 00 00 00 00 00 00 00  since 200
      04 00 00 00 00 00 00 00  dated 4
      bc 75 ef fe b6 b9 84 23  hash of its row
      00 00 00 00 00           claims 0, not curated
      68 00 00 00              its row follows
      """) + Array(pinnedRow.utf8)
    + pinnedBytes(
      """
      02 00 00 00 63 33        2: c3
      ff ff ff ff ff ff ff 7f  does not consent
      06 00 00 00 00 00 00 00  dated 6
      1c f5 ff d3 6f 5a d3 a8  hash of its row
      03 00 00 00 00           claims 3, not curated
      02 00 00 00 63 34        3: c4
      ff ff ff ff ff ff ff 7f  does not consent
      05 00 00 00 00 00 00 00  dated 5
      9e f6 fb 88 f2 01 ef df  hash of its row
      01 00 00 00 00           claims 1, not curated
      01 00 00 00 00 00 00 00  free serial numbers
      02 00 00 00              2
      """)

  @Test func `The index is these bytes`() throws {
    let run = ConsentRun(Self.pinnedEvents)
    #expect(run.bytes == Self.pinned)
    #expect(try decoded(Self.pinned).visible == run.visible)
  }

  @Test(arguments: [
    (27, 0x35, "a serial number for the second time", 22),
    (36, 0, "a customer without an email", 36),
    (76, 0x31, "a customer for the second time", 71),
    (42, 0, "a consent date that is none", 42),
    (49, 0x80, "a consent date that is none", 42),
    (66, 4, "a number of nothing that may stand here", 66),
    (66, 1, "an anonymous serial number of two customers", 279),
    (70, 0, "not the row of the customer's record", 71),
    (70, 2, "neither true nor false", 70),
    (120, 0x20, "not the row of the customer's record", 106),
    (284, 0, "not the number of anonymous serial numbers that nobody claims", 284),
    (292, 1, "a serial number that is not free", 292),
    (292, 4, "a number of nothing that may stand here", 292),
  ])
  func `What no index is like is refused`(place: Int, byte: UInt8, what: String, at: Int) {
    var bytes = Self.pinned
    bytes[place] = byte
    #expect(throws: StateError(what, byte: at)) { try decoded(bytes) }
  }

  @Test func `A serial number is free only once`() throws {
    let run = ConsentRun()
    for customer in 0..<2 {
      _ = run.apply(.customer(customer, serial: nil, updatedMs: 1, sinceMs: nil, name: ""))
      _ = run.apply(.customer(customer + 2, serial: nil, updatedMs: 1, sinceMs: nil, name: ""))
    }
    for customer in 0..<2 {
      _ = run.apply(.customer(customer, serial: 1, updatedMs: 2, sinceMs: nil, name: ""))
    }
    var bytes = run.bytes
    #expect(try decoded(bytes).bytes == bytes)
    bytes.replaceSubrange((bytes.count - 4)..., with: bytes[(bytes.count - 8)..<(bytes.count - 4)])
    #expect(throws: StateError("a serial number that is not free", byte: bytes.count - 4)) {
      try decoded(bytes)
    }
  }

  @Test func `Damage is harmless`() {
    var random = SeededRandom(seed: testSeed())
    let run = ConsentRun((1...50).map { .random(round: $0, &random) }.filter { !$0.changesMode })
    expectDamageIsHarmless(
      to: run.bytes, changes: 4000, &random,
      decode: { decoder throws(StateError) in try ConsentRun.decode(&decoder) },
      encode: { $0.index.encode(into: &$1) },
      use: { run, random in
        for round in 50..<65 { _ = run.apply(.random(round: round, &random)) }
        _ = run.visible
      })
  }
}
