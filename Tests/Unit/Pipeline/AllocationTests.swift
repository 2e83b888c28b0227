// What a record allocates on the heap: it does not depend on the machine's load, so a test can hold it.

import TestSupport
import Testing

@Suite(.enabled(if: SteadyLoad.canCount, "a sanitizer stands in front of the allocator"))
struct AllocationTests {
  // A few allocations a batch are no cost; one a record is.
  private let limit = 0.05

  @Test func `A record from a file allocates nothing`() throws {
    let folder = try ScratchFolder()
    let allocations = try SteadyLoad(folder: folder("load")).allocationsARecordFromFiles()
    #expect(allocations <= limit)
  }

  @Test func `A record from a message allocates nothing`() throws {
    let folder = try ScratchFolder()
    let allocations = try SteadyLoad(folder: folder("load")).allocationsARecordFromMessages()
    #expect(allocations <= limit)
  }
}
