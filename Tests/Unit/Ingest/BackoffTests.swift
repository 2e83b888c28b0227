import Testing

@testable import Ingest

@Suite struct BackoffTests {
  @Test func `Each delay lies in the upper half of a bound that doubles from half a second to half a minute`()
  {
    for _ in 0..<200 {
      var backoff = Backoff()
      for boundMs in [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000] {
        #expect((boundMs / 2...boundMs).contains(backoff.next()))
      }
    }
  }

  @Test func `After a success it begins anew`() {
    var backoff = Backoff()
    for _ in 0..<10 { _ = backoff.next() }
    backoff.reset()
    #expect((250...500).contains(backoff.next()))
    #expect((500...1_000).contains(backoff.next()))
  }

  @Test func `Gateways that lost the same broker do not come back at the same instant`() {
    let delays = (0..<1_000).map { _ in
      var backoff = Backoff()
      return backoff.next()
    }
    // 251 values are possible; that a thousand draws hit fewer than 200 of them does not happen.
    #expect(Set(delays).count > 200)
  }
}
