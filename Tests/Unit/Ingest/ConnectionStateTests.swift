import Testing

@testable import Ingest

@Suite struct ConnectionStateTests {
  private static let all: [ConnectionState] = [
    .connecting, .subscribed, .refused(filters: ["a/#"]), .away(sinceMs: 7, reason: "first"),
    .noRoom(freeBytes: 5),
  ]

  @Test func `Messages come when it is subscribed, to all filters or to some`() {
    #expect(Self.all.map(\.takesMessages) == [false, true, true, false, false])
    #expect(Self.all.map(\.refusedFilters) == [[], [], ["a/#"], [], []])
  }

  @Test func `A connection is away since the first failure, and a low disk is the better reason`() {
    let lost = Self.all.map { $0.lost("second", nowMs: 9) }
    #expect(
      lost == [
        .away(sinceMs: 9, reason: "second"), .away(sinceMs: 9, reason: "second"),
        .away(sinceMs: 9, reason: "second"), .away(sinceMs: 7, reason: "second"), .noRoom(freeBytes: 5),
      ])
  }

  @Test
  func `The status tells since when messages come or do not, how often they began to, and the last error`() {
    var status = ConnectionStatus()
    #expect(status.sinceMs == nil)
    for (time, state) in [
      (10, status.state.lost("down", nowMs: 10)), (20, .away(sinceMs: 10, reason: "down again")),
    ] as [(Int64, ConnectionState)] { status.enter(state, nowMs: time) }
    #expect((status.sinceMs, status.connects, status.lastError) == (10, 0, "down again"))
    status.enter(.subscribed, nowMs: 30)
    #expect((status.sinceMs, status.connects, status.lastError) == (30, 1, "down again"))
    status.enter(.noRoom(freeBytes: 1), nowMs: 40)
    status.enter(.connecting, nowMs: 50)
    #expect((status.sinceMs, status.connects, status.lastError) == (40, 1, "down again"))
    status.enter(.refused(filters: ["f"]), nowMs: 60)
    #expect((status.sinceMs, status.connects) == (60, 2))
  }

  @Test func `Before the first attempt a low disk is no time without messages`() {
    var status = ConnectionStatus()
    status.enter(.noRoom(freeBytes: 1), nowMs: 10)
    status.enter(.connecting, nowMs: 20)
    #expect(status.sinceMs == nil)
  }
}
