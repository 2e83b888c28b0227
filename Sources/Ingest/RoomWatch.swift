// Whether the disk has room for more messages.

import Storage

/// Looks at the free space of the volume that holds the data folder. It is asked all the time, and asks the
/// file system a few times a second.
public struct RoomWatch {
  private static let everyMs = 100

  private let fileSystem: any FileSystem
  private let directory: String
  /// `storage.min_free_bytes`.
  var minFreeBytes: Int
  private var lookAtMs = Int.min
  /// Whether there was less room at the last look than is to be left free.
  public private(set) var isLow = false
  public private(set) var freeBytes = 0

  public init(fileSystem: any FileSystem, directory: String, minFreeBytes: Int) {
    self.fileSystem = fileSystem
    self.directory = directory
    self.minFreeBytes = minFreeBytes
  }

  mutating func look(nowMs: Int) throws(StorageError) {
    guard nowMs >= lookAtMs else { return }
    lookAtMs = nowMs + Self.everyMs
    freeBytes = try fileSystem.freeBytes(directory)
    isLow = freeBytes < minFreeBytes
  }
}
