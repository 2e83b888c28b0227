// A queue between two threads that makes the faster one wait.
//
// Invariants: never holds more than `capacity` elements; what was put before `close` is still taken.
// The lock is held for a moment per batch, never per record.

import Dispatch
import Synchronization

/// A bounded first-in-first-out queue for any producers and one consumer.
public final class BoundedQueue<Element: Sendable>: Sendable {
  private struct State {
    var elements: [Element] = []
    var isClosed = false
  }
  private let state = Mutex(State())
  private let filled = DispatchSemaphore(value: 0)
  // Dispatch traps when a semaphore goes away below the value it began with.
  private let free = DispatchSemaphore(value: 0)

  public init(capacity: Int) {
    precondition(capacity > 0)
    for _ in 0..<capacity { free.signal() }
  }

  /// Waits for room and adds an element. False when the queue was closed.
  public func put(_ element: Element) -> Bool {
    free.wait()
    let accepted = state.withLock { state in
      if !state.isClosed { state.elements.append(element) }
      return !state.isClosed
    }
    if accepted { filled.signal() } else { free.signal() }
    return accepted
  }

  /// Whether there is nothing to take.
  public var isEmpty: Bool { state.withLock { $0.elements.isEmpty } }

  /// Waits for an element. Nil when the queue is closed and empty.
  public func take() -> Element? {
    filled.wait()
    return takeFilled()
  }

  /// Waits for an element for a time. Nil also when there was none.
  public func take(timeoutMs: Int) -> Element? {
    filled.wait(timeout: .now() + .milliseconds(timeoutMs)) == .success ? takeFilled() : nil
  }

  private func takeFilled() -> Element? {
    let element = state.withLock { $0.elements.isEmpty ? nil : $0.elements.removeFirst() }
    // A closed queue stays so for whoever asks again.
    if element == nil { filled.signal() } else { free.signal() }
    return element
  }

  /// Lets the consumer finish what is there, and the producer stop.
  public func close() {
    state.withLock { $0.isClosed = true }
    filled.signal()
    free.signal()
  }
}
