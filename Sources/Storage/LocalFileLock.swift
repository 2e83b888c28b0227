// An advisory lock (flock(2)) that keeps two gateways out of one data folder. The kernel drops it with
// the process, however that ends, so a stale lock file locks nobody out. The file holds the holder's id
// for the error message only; it is never removed, since removing a locked file lets two hold "it".

import Glibc

final class LocalFileLock: FileLock {
  private var descriptor: CInt

  init(path: String) throws(StorageError) {
    let descriptor = try systemCall(.lock, path) { open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640) }
    self.descriptor = descriptor
    do {
      _ = try systemCall(.lock, path) { flock(descriptor, LOCK_EX | LOCK_NB) }
    } catch {
      let holder = error.code == EWOULDBLOCK ? processID(in: descriptor) : nil
      throw StorageError(operation: .lock, path: path, code: error.code, lockHolder: holder)
    }
    _ = try systemCall(.truncate, path) { ftruncate(descriptor, 0) }
    let text = Array("\(getpid())\n".utf8)
    _ = try systemCall(.write, path) { pwrite(descriptor, text, text.count, 0) }
  }

  deinit { unlock() }

  func unlock() {
    guard descriptor >= 0 else { return }
    close(descriptor)
    descriptor = -1
  }
}

/// The process id that a lock file holds. The holder writes it just after it has locked, so for a
/// moment there may be none.
private func processID(in descriptor: CInt) -> Int? {
  var text = [UInt8](repeating: 0, count: 32)
  let count = pread(descriptor, &text, text.count, 0)
  guard count > 0 else { return nil }
  return Int(String(decoding: text.prefix(count).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
}
