import Foundation
import Testing

@testable import Threads

@Suite struct WakeUpTests {
  private func isSignalled(_ wakeUp: WakeUp, timeoutMs: Int32 = 0) -> Bool {
    var entry = pollfd(fd: wakeUp.descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, timeoutMs) == 1
  }

  @Test func `A signal lasts until it is reset`() {
    let wakeUp = WakeUp()
    #expect(!isSignalled(wakeUp))
    wakeUp.signal()
    #expect(isSignalled(wakeUp))
    #expect(isSignalled(wakeUp))
    wakeUp.reset()
    #expect(!isSignalled(wakeUp))
    wakeUp.signal()
    #expect(isSignalled(wakeUp))
  }

  @Test func `However many signals there were, none blocks and one reset takes them all`() {
    let wakeUp = WakeUp()
    // More than a pipe holds (64 KiB).
    for _ in 0..<100_000 { wakeUp.signal() }
    #expect(isSignalled(wakeUp))
    wakeUp.reset()
    #expect(!isSignalled(wakeUp))
  }

  @Test func `Resetting what was not signalled does not wait`() {
    let wakeUp = WakeUp()
    wakeUp.reset()
    #expect(!isSignalled(wakeUp))
  }

  @Test func `A signal from another thread ends a wait`() {
    let wakeUp = WakeUp()
    Thread.detachNewThread { wakeUp.signal() }
    #expect(isSignalled(wakeUp, timeoutMs: 10_000))
  }

  @Test func `Its descriptor reaches no child process`() {
    let wakeUp = WakeUp()
    #expect(fcntl(wakeUp.descriptor, F_GETFD) & FD_CLOEXEC != 0)
  }
}
