import Foundation
import TestSupport
import Testing

@Suite struct SpawnedProcessTests {
  @Test func `A started process holds none of the test's descriptors`() throws {
    // Inherited unless something is done about it, as are the sockets that SwiftNIO accepts.
    let descriptor = open("/dev/null", O_RDONLY)
    defer { close(descriptor) }
    try #require(descriptor > 2)
    // One more, of the folder that ls reads.
    #expect(try ChildProcess.run("/bin/ls", ["/proc/self/fd"]) == ["0", "1", "2", "3"])
  }

  @Test func `How a process ended is known, and a signal after that goes nowhere`() throws {
    let process = try ChildProcess("/bin/sh", ["-c", "exit 7"])
    #expect(try process.waitForExit() == .exited(7))
    process.kill()
    #expect(process.ending == .exited(7))
    #expect(try ChildProcess("/bin/sleep", ["60"]).stop() == .killed(signal: SIGTERM))
  }
}
