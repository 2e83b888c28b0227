import Glibc
import Storage
import Synchronization
import Testing

@testable import Ingest

@Suite struct RoomWatchTests {
  @Test func `It looks now and then, and tells when there is less room than is to be left free`() throws {
    let folder = try ScratchFolder()
    let free = try LocalFileSystem().freeBytes(folder("."))
    var enough = RoomWatch(fileSystem: LocalFileSystem(), directory: folder("."), minFreeBytes: 0)
    try enough.look(nowMs: 0)
    #expect(!enough.isLow)
    var low = RoomWatch(fileSystem: LocalFileSystem(), directory: folder("."), minFreeBytes: free * 2)
    try low.look(nowMs: 0)
    #expect(low.isLow && low.freeBytes > 0)
  }

  @Test func `A folder that is gone is an error, not an empty disk`() throws {
    let folder = try ScratchFolder()
    var watch = RoomWatch(fileSystem: LocalFileSystem(), directory: folder("gone"), minFreeBytes: 0)
    #expect(throws: StorageError.self) { try watch.look(nowMs: 0) }
  }
}
