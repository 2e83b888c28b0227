// A disk that a test can fill: a tmpfs of its own, where whoever runs the tests may mount one.
//
// Invariant: it is unmounted with the value's last reference, also while a process still has files open on it.

import Foundation
import TestSupport
import Testing

/// A mounted file system of a few megabytes.
final class SmallDisk {
  /// What to say where tests with it are skipped.
  static let isForbidden: Comment = "mounting a tmpfs is not allowed here (it takes root): no disk to fill"
  /// Found out by mounting one.
  static let isAllowed = (try? SmallDisk(megabytes: 1)) != nil

  /// Where it is mounted.
  let path: String
  private let folder: TemporaryFolder
  private var filler: String { "\(path)/filler" }

  init(megabytes: Int) throws {
    folder = try TemporaryFolder()
    path = "\(folder.path)/disk"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    try ChildProcess.run(
      "/usr/bin/mount", ["-t", "tmpfs", "-o", "size=\(megabytes)m", "stepgate-test", path])
  }

  deinit {
    // At once if nobody uses it any more, else when the last one has gone (umount(8)).
    _ = try? ChildProcess.run("/usr/bin/umount", ["--lazy", path])
  }

  var freeBytes: Int {
    get throws {
      let attributes = try FileManager.default.attributesOfFileSystem(forPath: path)
      return (attributes[.systemFreeSize] as? Int) ?? 0
    }
  }

  /// Takes away all room but so much, give or take a page.
  func fill(leaving bytes: Int) throws {
    let file = open(filler, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    defer { close(file) }
    // At once as far as that goes; then page by page, since others write and free meanwhile.
    posix_fallocate(file, 0, max(1, try freeBytes - bytes))
    let page = [UInt8](repeating: 0, count: 4_096)
    while try freeBytes > bytes, write(file, page, page.count) > 0 {}
  }

  /// From now on nothing can be written to it; while a file on it is open for writing this fails.
  func makeReadOnly() throws { try ChildProcess.run("/usr/bin/mount", ["-o", "remount,ro", path]) }

  /// Gives back what was taken away.
  func makeRoom() throws { try FileManager.default.removeItem(atPath: filler) }
}
