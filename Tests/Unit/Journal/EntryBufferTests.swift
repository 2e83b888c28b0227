import Journal
import Testing

@Suite struct EntryBufferTests {
  private let entries = [
    Entry(packetID: 7, flags: 3, topic: "a", payload: "payload"),
    Entry(kind: .customerFile, arrivalMs: -1, topic: "/data/customers.json", payload: "{}\n{}\n"),
    Entry(kind: .settings, topic: "", payload: "{\"join\":{}}"),
    Entry(kind: .sessionGap, topic: "", payload: ""),
    Entry(payload: "cut", originalPayloadBytes: 4_000_000_000),
  ]

  @Test func `Entries come out as they went in, in order`() {
    let buffer = EntryBuffer(entries)
    #expect(buffer.map(Entry.init) == entries)
    #expect(buffer.entryCount == 5)
    #expect(buffer.map(\.isCut) == [false, false, false, false, true])
    #expect(buffer.map(\.position) == [nil, nil, nil, nil, nil])
  }

  @Test func `An empty buffer has no entries`() {
    let buffer = EntryBuffer()
    #expect(buffer.byteCount == 0)
    #expect(buffer.map(Entry.init) == [])
  }

  @Test func `Entries survive the buffer's growth`() {
    let many = (0..<2000).map(Entry.numbered)
    #expect(EntryBuffer(many).map(Entry.init) == many)
  }

  @Test func `A buffer that was reset holds only what came since, with clean padding`() {
    let buffer = EntryBuffer(entries)
    buffer.reset()
    #expect(buffer.byteCount == 0 && buffer.entryCount == 0)
    buffer.append(entries[1])
    #expect(buffer.map(Entry.init) == [entries[1]])
    let fresh = EntryBuffer([entries[1]])
    #expect(Array(buffer.bytes) == Array(fresh.bytes))
    withExtendedLifetime((buffer, fresh)) {}
  }

  @Test func `Entries are padded to eight bytes`() {
    for length in 0...16 {
      let buffer = EntryBuffer([Entry(topic: "", payload: String(repeating: "p", count: length))])
      #expect(buffer.byteCount == 40 + (length + 7) / 8 * 8)
    }
  }

  @Test func `64 bytes behind the last payload can be read`() {
    let buffer = EntryBuffer(capacityBytes: 64)
    let payload = String(repeating: "p", count: 23)
    buffer.append(Entry(topic: "t", payload: payload))
    #expect(buffer.byteCount == 64, "the buffer is full")
    for entry in buffer {
      let readable = UnsafeRawBufferPointer(
        start: entry.payload.baseAddress, count: entry.payload.count + EntryBuffer.slackBytes)
      #expect(readable.dropFirst(23).allSatisfy { $0 == 0 })
    }
  }
}
