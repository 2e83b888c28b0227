import Testing

@testable import Gateway

@Suite struct StatusHistoryTests {
  /// The status after samples a second apart, each with `perSecond` more messages.
  private func run(_ seconds: Int, perSecond: (Int) -> Int) -> GatewayStatus {
    var history = StatusHistory()
    var status = GatewayStatus()
    var messages = 0
    for second in 0..<seconds {
      messages += perSecond(second)
      status.nowAtMs = Int64(second) * 1_000
      history.add(StatusSample(atMs: second * 1_000, messages: messages), to: &status)
    }
    return status
  }

  @Test func `The first sample tells no rate`() {
    let status = run(1) { _ in 1_000 }
    #expect(status.rates.messages == 0)
    #expect(status.history.isEmpty)
  }

  @Test func `Rates are those of the last minute`() {
    #expect(run(30) { _ in 7 }.rates.messages == 7)
    // 61 samples ago it was busier.
    #expect(run(200) { $0 < 139 ? 100 : 3 }.rates.messages == 3)
    #expect(run(200) { $0 == 170 ? 60 : 0 }.rates.messages == 1)
  }

  @Test func `A sum that falls is no rate`() {
    #expect(run(3) { $0 == 2 ? -100 : 10 }.rates.messages == 0)
  }

  @Test func `A point is made every five seconds, and a quarter of an hour is kept`() {
    let status = run(1_000) { $0 < 990 ? 10 : 20 }
    #expect(status.history.count == StatusHistory.points)
    #expect(StatusHistory.points * StatusHistory.pointMs == 15 * 60_000)
    #expect(status.history.last?.endAtMs == 995_000)
    #expect(status.history.last?.messages == 20)
    #expect(status.history.first?.messages == 10)
    let steps = zip(status.history, status.history.dropFirst()).map { $1.endAtMs - $0.endAtMs }
    #expect(steps.allSatisfy { $0 == 5_000 })
  }
}
