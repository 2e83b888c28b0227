import Glibc
import Storage
import TestSupport
import Testing

@Suite struct FileLockTests {
  private let folder: ScratchFolder
  private let fileSystem = LocalFileSystem()

  init() throws { folder = try ScratchFolder() }

  @Test func `A lock that is held is refused, with the holder's process id`() throws {
    let lock = try fileSystem.lock(folder("lock"))
    #expect(try fileSystem.text(folder("lock")) == "\(getpid())\n")
    let error = #expect(throws: StorageError.self) { try fileSystem.lock(folder("lock")) }
    #expect(
      error?.description == "cannot lock \(folder("lock")): in use by another stepgate (pid \(getpid()))")
    lock.unlock()
  }

  @Test func `A lock that was let go can be taken`() throws {
    let lock = try fileSystem.lock(folder("lock"))
    lock.unlock()
    lock.unlock()
    try fileSystem.lock(folder("lock")).unlock()
  }

  @Test func `A stale lock file locks nobody out, and its longer text is replaced`() throws {
    try fileSystem.overwrite(folder("lock"), "99999999999\n")
    let lock = try fileSystem.lock(folder("lock"))
    #expect(try fileSystem.text(folder("lock")) == "\(getpid())\n")
    lock.unlock()
  }

  @Test func `A lock held by another process is refused until that process ends`() throws {
    // flock(1) takes the lock and becomes the shell, then the sleep.
    let script = "echo $$ > '\(folder("lock"))'; exec sleep 60"
    let other = try ChildProcess("/usr/bin/flock", ["--no-fork", folder("lock"), "sh", "-c", script])
    let deadline = ContinuousClock.now + .seconds(20)
    while (try? fileSystem.text(folder("lock"))) != "\(other.pid)\n" && ContinuousClock.now < deadline {
      usleep(1000)
    }
    let error = #expect(throws: StorageError.self) { try fileSystem.lock(folder("lock")) }
    #expect(error?.lockHolder == Int(other.pid))

    other.kill()
    try other.waitForExit()
    try fileSystem.lock(folder("lock")).unlock()
  }
}
