import Dispatch
import Testing

@testable import Threads

/// A hang here is a bug: each test is ended by its time limit.
@Suite(.timeLimit(.minutes(5))) struct BoundedQueueTests {
  /// Runs `body` on a thread of its own, and waits for what it returns.
  private func onThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
    await withCheckedContinuation { continuation in
      DispatchQueue(label: "test").async { continuation.resume(returning: body()) }
    }
  }

  @Test func `Elements come in order through a queue of any size`() async {
    for capacity in [1, 2, 100] {
      let queue = BoundedQueue<Int>(capacity: capacity)
      async let taken = onThread {
        var taken: [Int] = []
        while let element = queue.take() { taken.append(element) }
        return taken
      }
      let accepted = await onThread {
        let accepted = (0..<1000).allSatisfy { queue.put($0) }
        queue.close()
        return accepted
      }
      #expect(accepted)
      #expect(await taken == Array(0..<1000))
    }
  }

  @Test func `What was put before the close is still taken`() {
    let queue = BoundedQueue<Int>(capacity: 4)
    for element in 0..<3 { #expect(queue.put(element)) }
    queue.close()
    #expect(!queue.put(9))
    #expect((0..<5).map { _ in queue.take() } == [0, 1, 2, nil, nil])
    #expect(!queue.put(9))
  }

  @Test func `A close frees a producer that waits for room`() async {
    let queue = BoundedQueue<Int>(capacity: 1)
    #expect(queue.put(1))
    async let accepted = onThread { queue.put(2) }
    queue.close()
    #expect(await accepted == false)
    #expect(queue.take() == 1)
    #expect(queue.take() == nil)
  }

  @Test func `A close frees a consumer that waits for an element`() async {
    let queue = BoundedQueue<Int>(capacity: 1)
    async let element = onThread { queue.take() }
    queue.close()
    #expect(await element == nil)
  }

  @Test func `A queue that is full or empty may be let go`() {
    _ = BoundedQueue<Int>(capacity: 3)
    let full = BoundedQueue<Int>(capacity: 1)
    #expect(full.put(1))
  }
}
