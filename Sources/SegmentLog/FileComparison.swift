// Compares rows with the bytes of a file, at the speed of memory: the file is read in large pieces into a
// buffer that is kept.

import Glibc
import Storage

final class FileComparison {
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 512 * 1024, alignment: 16)
  private let file: any File
  /// The bytes of the file that the buffer holds.
  private var held = 0..<0

  init(_ file: any File) { self.file = file }

  deinit { buffer.deallocate() }

  /// The byte of the file at which it first differs from `bytes`, which begin at its byte `start`; nil if
  /// it holds just these. Where the file ends, it differs.
  func firstDifference(from bytes: UnsafeRawBufferPointer, at start: Int) throws(StorageError) -> Int? {
    var byte = start
    var rest = bytes
    while !rest.isEmpty {
      if !held.contains(byte) {
        held = byte..<byte + (try file.read(into: buffer, at: byte))
        if held.isEmpty { return byte }
      }
      let there = UnsafeRawBufferPointer(buffer).after(byte - held.lowerBound)
      let count = min(rest.count, held.upperBound - byte)
      if let equal = equalBytes(rest.first(count), there.first(count)) { return byte + equal }
      byte += count
      rest = rest.after(count)
    }
    return nil
  }

  /// How many bytes both begin with alike; nil if they are the same.
  private func equalBytes(_ bytes: UnsafeRawBufferPointer, _ others: UnsafeRawBufferPointer) -> Int? {
    guard let first = bytes.baseAddress, let second = others.baseAddress,
      memcmp(first, second, bytes.count) != 0
    else { return nil }
    return bytes.indices.first { bytes[$0] != others[$0] }
  }
}
