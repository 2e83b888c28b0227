// What a record allocates on the heap: it does not depend on the machine's load, so a test can hold it.
//
// Tests are built without optimisation and then allocate some 30 times a message and a few times a batch, whatever
// they hold. So the messages here hold many readings: what allocates for each of them still shows. That an
// optimised build allocates nothing for a message either is what `make bench-counts` checks.

import TestSupport
import Testing

@Suite(.enabled(if: SteadyLoad.canCount, "a sanitizer stands in front of the allocator"))
struct AllocationTests {
  // Less than one a record, and more than what a message and a batch cost here.
  private let limit = 0.5

  @Test func `A record from a file allocates nothing of its own`() throws {
    let folder = try ScratchFolder()
    let allocations = try SteadyLoad(folder: folder("load")).allocationsARecordFromFiles()
    #expect(allocations < limit)
  }

  @Test func `A record from a message allocates nothing of its own`() throws {
    let folder = try ScratchFolder()
    let load = SteadyLoad(folder: folder("load"), readingsAMessage: 100)
    let allocations = try load.allocationsARecordFromMessages()
    #expect(allocations < limit)
  }
}
