import Records
import Testing
import TestSupport

@testable import Playback

@Suite struct RedeliveryFilterStateTests {
  private func encoded(_ filter: RedeliveryFilter) -> [UInt8] { encodedState { filter.encode(into: &$0) } }

  private func decoded(_ bytes: [UInt8]) throws -> RedeliveryFilter {
    try decodedState(bytes) { decoder throws(StateError) in try RedeliveryFilter(decoding: &decoder) }
  }

  /// A filter that has seen messages with these ids, whose content is ten times the id.
  private func filter(_ ids: [Int], lastContactMs: Int64? = nil) -> RedeliveryFilter {
    var filter = RedeliveryFilter()
    filter.connected(sessionPresent: false)
    for id in ids { _ = filter.isRepeated(packetID: UInt16(id), content: UInt64(id) * 10) }
    if let lastContactMs { filter.inContact(atMs: lastContactMs) }
    return filter
  }

  @Test func `What it remembers is these bytes`() throws {
    let pinned = pinnedBytes(
      """
      01 00 68 e5 cf 8b 01 00 00           last contact
      04 00 00 00 00 00 00 00              messages
      03 00 00 00 00 00 00 00              ids
      01 00 02 00 0a 00 00 00 00 00 00 00  id 1, two messages after it, content
      02 00 00 00 14 00 00 00 00 00 00 00  id 2, the last message
      ff ff 01 00 f6 ff 09 00 00 00 00 00  id 65,535
      """)
    #expect(encoded(filter([2, 1, 65_535, 2], lastContactMs: 1_700_000_000_000)) == pinned)
    #expect(encoded(try decoded(pinned)) == pinned)
    let nothing = pinnedBytes("00\n00 00 00 00 00 00 00 00\n00 00 00 00 00 00 00 00")
    #expect(encoded(RedeliveryFilter()) == nothing)
    #expect(try decoded(nothing).lastContactMs == nil)
  }

  @Test func `Every id whose message may come again is remembered, wherever it is in the range`() throws {
    for ids in [
      [65_535], [65_534, 65_535], [1, 65_535], [7, 7, 7, 65_535], [65_535, 1, 65_535, 40_000], [9, 8, 7],
    ] {
      // Behind last contact, the number of messages and that of ids.
      let entries = encoded(filter(ids)).dropFirst(1 + 8 + 8)
      let remembered = stride(from: entries.startIndex, to: entries.endIndex, by: 12).map {
        Int(entries[$0]) | Int(entries[$0 + 1]) << 8
      }
      #expect(remembered == Set(ids).sorted(), "\(ids)")
    }
  }

  @Test func `It recognises after a restart what it would have recognised on the next connection`() throws {
    var random = SeededRandom(seed: testSeed())
    var original = RedeliveryFilter()
    original.connected(sessionPresent: false)
    for _ in 0..<50 {
      for _ in 0..<Int.random(in: 0..<60, using: &random) {
        _ = original.isRepeated(
          packetID: UInt16.random(in: 1...40, using: &random), content: .random(in: 0..<3, using: &random))
      }
      if random.oneIn(3) { original.inContact(atMs: .random(in: 0...9, using: &random)) }
      var restored = try decoded(encoded(original))
      #expect(restored.lastContactMs == original.lastContactMs)
      let hasSession = !random.oneIn(20)
      original.connected(sessionPresent: hasSession)
      restored.connected(sessionPresent: hasSession)
      for _ in 0..<30 {
        let (id, content) = (
          UInt16.random(in: 1...40, using: &random), UInt64.random(in: 0..<3, using: &random)
        )
        let isRepeated = restored.isRepeated(packetID: id, content: content)
        let wasRepeated = original.isRepeated(packetID: id, content: content)
        #expect(isRepeated == wasRepeated)
      }
      #expect(encoded(restored) == encoded(original))
    }
  }

  @Test func `Before a connection begins nothing is recognised`() throws {
    var restored = try decoded(encoded(filter([1, 2])))
    let isRepeated = restored.isRepeated(packetID: 1, content: 10)
    #expect(!isRepeated)
  }

  @Test func `Messages that are too old to come again are not kept`() throws {
    let ids = (0..<65_537).map { $0 % 65_535 + 1 }
    let bytes = encoded(filter(ids))
    #expect(bytes.count == 17 + 65_534 * 12)
    var original = filter(ids)
    var restored = try decoded(bytes)
    original.connected(sessionPresent: true)
    restored.connected(sessionPresent: true)
    for id in [4, 65_535, 1, 2, 3] {
      let isRepeated = restored.isRepeated(packetID: UInt16(id), content: UInt64(id) * 10)
      let wasRepeated = original.isRepeated(packetID: UInt16(id), content: UInt64(id) * 10)
      #expect(isRepeated == wasRepeated)
      #expect(isRepeated == (id != 3), "packet id \(id)")
    }
  }

  @Test(arguments: [
    (["00 00 00 00"], "packet ids out of order", 17),
    (["02 00 00 00", "01 00 01 00"], "packet ids out of order", 29),
    (["02 00 00 00", "02 00 01 00"], "packet ids out of order", 29),
    (["01 00 04 00"], "a message that is too old to come again", 19),
    (["01 00 01 00", "02 00 01 00"], "two messages of the same age", 33),
  ])
  func `What four messages cannot have left is refused`(entries: [String], what: String, byte: Int) {
    let bytes = pinnedBytes(
      "00 04 00 00 00 00 00 00 00 0\(entries.count) 00 00 00 00 00 00 00\n"
        + entries.map { $0 + " 00 00 00 00 00 00 00 00\n" }.joined())
    #expect(throws: StateError(what, byte: byte)) { try decoded(bytes) }
  }

  @Test func `Damage is harmless`() {
    var random = SeededRandom(seed: testSeed())
    expectDamageIsHarmless(
      to: encoded(filter(Array(1...12) + [7, 3], lastContactMs: 5)), changes: 400, &random,
      decode: { decoder throws(StateError) in try RedeliveryFilter(decoding: &decoder) },
      encode: { $0.encode(into: &$1) },
      use: { filter, random in
        var filter = filter
        filter.connected(sessionPresent: true)
        for _ in 0..<50 {
          _ = filter.isRepeated(packetID: .random(in: 0...65_535, using: &random), content: 10)
        }
      })
  }
}
