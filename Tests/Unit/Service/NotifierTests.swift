import Foundation
import Testing
import TestSupport

@testable import Service

@Suite struct NotifierTests {
  @Test(arguments: [false, true])
  func `Assignments arrive as one message, over a path and over an abstract name`(isAbstract: Bool)
    throws
  {
    let socket = try NotifySocket(isAbstract: isAbstract)
    let notifier = Notifier(environment: ["NOTIFY_SOCKET": socket.name])
    notifier.send("READY=1", "STATUS=two\nlines")
    notifier.send("WATCHDOG=1")
    try eventually { socket.messages.count == 2 }
    #expect(socket.messages.map(\.assignments) == [["READY=1", "STATUS=two lines"], ["WATCHDOG=1"]])
  }

  @Test(arguments: [
    nil, "", "/", "@", "relative", "vsock:1:2", "/nowhere/notify", "/" + String(repeating: "x", count: 200),
  ])
  func `Without a socket, or with one that is not there, nothing happens`(name: String?) {
    let notifier = Notifier(environment: name.map { ["NOTIFY_SOCKET": $0] } ?? [:])
    notifier.send("READY=1")
    #expect(notifier.isUsed == (name == "/nowhere/notify"))
  }

  @Test func `The watchdog's time counts where it is this process's`() {
    #expect(watchdogMs(environment: [:]) == nil)
    #expect(watchdogMs(environment: ["WATCHDOG_USEC": "30000000"]) == 30_000)
    #expect(
      watchdogMs(environment: ["WATCHDOG_USEC": "5000000", "WATCHDOG_PID": "7"], processID: 7) == 5_000)
    #expect(watchdogMs(environment: ["WATCHDOG_USEC": "5000000", "WATCHDOG_PID": "7"], processID: 8) == nil)
    #expect(watchdogMs(environment: ["WATCHDOG_USEC": "0"]) == nil)
    #expect(watchdogMs(environment: ["WATCHDOG_USEC": "soon"]) == nil)
    #expect(watchdogMs(environment: ["WATCHDOG_USEC": "10"]) == 1)
  }
}

/// Waits until the condition holds, for 20 seconds at the most. Blocks its thread: a task that sleeps would wait for
/// whatever other tests do.
func eventually(sourceLocation: SourceLocation = #_sourceLocation, _ condition: () -> Bool) throws {
  let deadline = ContinuousClock.now + .seconds(20)
  while !condition() {
    try #require(ContinuousClock.now < deadline, sourceLocation: sourceLocation)
    usleep(5_000)
  }
}
