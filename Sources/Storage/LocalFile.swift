// An open file of the machine. Reads are positional, writes go to the end, so the two never disturb each
// other and there is no file position to keep.

import CFastPath
import Glibc

final class LocalFile: File {
  let path: String
  private let descriptor: CInt
  /// Where the next append begins; only errors need it, since O_APPEND finds the end itself.
  private var endByte = 0
  /// So much is written before the kernel is asked to begin with it. A sync of a whole segment would else find all of
  /// it still to be written, and wait.
  private static let writebackBytes = 4 << 20
  /// The kernel was asked to write what is before.
  private var askedByte = 0

  /// Takes over `descriptor`.
  init(path: String, descriptor: CInt) throws(StorageError) {
    self.path = path
    self.descriptor = descriptor
    endByte = try size()
    askedByte = endByte
  }

  deinit {
    // What mattered was synced, and that call's error told; close has nothing to add.
    close(descriptor)
  }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(StorageError) -> Int {
    var filled = 0
    while filled < buffer.count {
      let count = try systemCall(.read, path, at: offset + filled) {
        pread(descriptor, buffer.baseAddress! + filled, buffer.count - filled, offset + filled)
      }
      if count == 0 { break }
      filled += count
    }
    return filled
  }

  func append(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    var written = 0
    while written < bytes.count {
      let count = try systemCall(.write, path, at: endByte) {
        write(descriptor, bytes.baseAddress! + written, bytes.count - written)
      }
      written += count
      endByte += count
    }
    if endByte - askedByte >= Self.writebackBytes {
      sg_start_writeback(descriptor, Int64(askedByte), Int64(endByte - askedByte))
      askedByte = endByte
    }
  }

  func size() throws(StorageError) -> Int {
    var status = stat()
    _ = try systemCall(.size, path) { fstat(descriptor, &status) }
    // A file that is mostly a hole can be longer than any disk.
    guard status.st_size <= numberLimit else { throw StorageError(operation: .size, path: path, code: EFBIG) }
    return Int(status.st_size)
  }

  func truncate(to size: Int) throws(StorageError) {
    _ = try systemCall(.truncate, path, at: size) { ftruncate(descriptor, size) }
    endByte = size
    askedByte = min(askedByte, size)
  }

  func syncData() throws(StorageError) {
    _ = try systemCall(.sync, path) { fdatasync(descriptor) }
    askedByte = endByte
  }

  func sync() throws(StorageError) {
    _ = try systemCall(.sync, path) { fsync(descriptor) }
    askedByte = endByte
  }
}
