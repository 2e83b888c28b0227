import Journal
import Testing

@testable import Playback

/// The gateway's end of a connection, in which a message's content is its id unless it is said.
private final class Receiver {
  var filter = RedeliveryFilter()

  /// Has got messages with these ids on an earlier connection.
  init(seen ids: [Int] = []) {
    connect(session: false)
    for id in ids { #expect(!repeats(id)) }
  }

  func connect(session: Bool) { filter.connected(sessionPresent: session) }

  func repeats(_ id: Int, _ content: UInt64? = nil) -> Bool {
    filter.isRepeated(packetID: UInt16(id), content: content ?? UInt64(id))
  }
}

@Suite struct RedeliveryFilterTests {
  @Test func `What was not acknowledged comes again first, in order, and is recognised`() {
    let receiver = Receiver(seen: [1, 2, 3, 4, 5])
    receiver.connect(session: true)
    for id in 3...5 { #expect(receiver.repeats(id)) }
    #expect(!receiver.repeats(6))
  }

  @Test func `What came again comes yet again on the next connection`() {
    let receiver = Receiver(seen: [1, 2, 3])
    for _ in 0..<3 {
      receiver.connect(session: true)
      #expect(receiver.repeats(2))
      #expect(receiver.repeats(3))
    }
  }

  @Test func `A message that expired at the broker leaves a gap in what comes again`() {
    let receiver = Receiver(seen: [1, 2, 3, 4])
    receiver.connect(session: true)
    #expect(receiver.repeats(2))
    #expect(receiver.repeats(4))
  }

  @Test func `Another content with the same id is a new message, and so is all behind it`() {
    let receiver = Receiver(seen: [1, 2, 3])
    receiver.connect(session: true)
    #expect(!receiver.repeats(2, 77))
    #expect(!receiver.repeats(3))
  }

  @Test func `The same id and content a second time on one connection is a new message`() {
    let receiver = Receiver(seen: [1, 2])
    receiver.connect(session: true)
    #expect(receiver.repeats(2))
    #expect(!receiver.repeats(2))
  }

  @Test func `Without a session nothing comes again`() {
    let receiver = Receiver(seen: [1, 2])
    receiver.connect(session: false)
    #expect(!receiver.repeats(1))
    #expect(!receiver.repeats(2))
  }

  @Test func `Devices that publish the same bytes all the time are not confused when ids come around`() {
    let receiver = Receiver()
    func id(_ number: Int) -> Int { number % 65_535 + 1 }
    for number in 0..<70_000 where receiver.repeats(id(number), 9) {
      Issue.record("message \(number) is new")
    }
    // All were acknowledged; what comes next is new, though its id and content were there before.
    receiver.connect(session: true)
    for number in 70_000..<140_000 {
      if receiver.repeats(id(number), 9) {
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
    let receiver = Receiver()
    receiver.filter.remember(entries)
    receiver.connect(session: true)
    for (number, text) in texts.enumerated() {
      let content = text.withUnsafeBytes { RedeliveryFilter.content($0, $0, payloadBytes: 9) }
      #expect(receiver.repeats(number + 1, content))
    }
  }
}
