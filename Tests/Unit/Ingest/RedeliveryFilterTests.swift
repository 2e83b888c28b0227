import Journal
import Testing

@testable import Ingest

@Suite struct RedeliveryFilterTests {
  /// A filter that has seen messages with these ids, each with its id as content, on an earlier connection.
  private func filter(seen ids: [Int]) -> RedeliveryFilter {
    var filter = RedeliveryFilter()
    filter.connected(sessionPresent: false)
    for id in ids { #expect(!filter.isRepeated(packetID: UInt16(id), content: UInt64(id))) }
    return filter
  }

  @Test func `What was not acknowledged comes again first, in order, and is recognised`() {
    var filter = filter(seen: [1, 2, 3, 4, 5])
    filter.connected(sessionPresent: true)
    for id in 3...5 { #expect(filter.isRepeated(packetID: UInt16(id), content: UInt64(id))) }
    #expect(!filter.isRepeated(packetID: 6, content: 6))
  }

  @Test func `What came again comes yet again on the next connection`() {
    var filter = filter(seen: [1, 2, 3])
    for _ in 0..<3 {
      filter.connected(sessionPresent: true)
      #expect(filter.isRepeated(packetID: 2, content: 2))
      #expect(filter.isRepeated(packetID: 3, content: 3))
    }
  }

  @Test func `A message that expired at the broker leaves a gap in what comes again`() {
    var filter = filter(seen: [1, 2, 3, 4])
    filter.connected(sessionPresent: true)
    #expect(filter.isRepeated(packetID: 2, content: 2))
    #expect(filter.isRepeated(packetID: 4, content: 4))
  }

  @Test func `Another content with the same id is a new message, and so is all behind it`() {
    var filter = filter(seen: [1, 2, 3])
    filter.connected(sessionPresent: true)
    #expect(!filter.isRepeated(packetID: 2, content: 77))
    #expect(!filter.isRepeated(packetID: 3, content: 3))
  }

  @Test func `The same id and content a second time on one connection is a new message`() {
    var filter = filter(seen: [1, 2])
    filter.connected(sessionPresent: true)
    #expect(filter.isRepeated(packetID: 2, content: 2))
    #expect(!filter.isRepeated(packetID: 2, content: 2))
  }

  @Test func `Without a session nothing comes again`() {
    var filter = filter(seen: [1, 2])
    filter.connected(sessionPresent: false)
    #expect(!filter.isRepeated(packetID: 1, content: 1))
    #expect(!filter.isRepeated(packetID: 2, content: 2))
  }

  @Test func `Devices that publish the same bytes all the time are not confused when ids come around`() {
    var filter = RedeliveryFilter()
    filter.connected(sessionPresent: false)
    func id(_ number: Int) -> UInt16 { UInt16(number % 65_535 + 1) }
    for number in 0..<70_000 { #expect(!filter.isRepeated(packetID: id(number), content: 9)) }
    // All were acknowledged; what comes next is new, though its id and content were there before.
    filter.connected(sessionPresent: true)
    for number in 70_000..<140_000 {
      if filter.isRepeated(packetID: id(number), content: 9) {
        Issue.record("message \(number) is new")
        return
      }
    }
  }

  @Test func `The journal's messages are remembered over a restart`() {
    let entries = EntryBuffer()
    let texts: [[UInt8]] = [Array("a".utf8), Array("b".utf8)]
    for (number, text) in texts.enumerated() {
      text.withUnsafeBytes { text in
        entries.append(
          kind: .message, arrivalMs: 0, packetID: UInt16(number + 1), topic: text, payload: text,
          originalPayloadBytes: 9)
      }
    }
    var filter = RedeliveryFilter()
    filter.remember(entries)
    filter.connected(sessionPresent: true)
    for (number, text) in texts.enumerated() {
      let content = text.withUnsafeBytes { RedeliveryFilter.content($0, $0, payloadBytes: 9) }
      #expect(filter.isRepeated(packetID: UInt16(number + 1), content: content))
    }
  }
}
