// Memory for identities: handed out once, never moved, freed all at once.

import Glibc

struct ByteArena: ~Copyable {
  private static let chunkBytes = 1 << 18
  private var chunks: [UnsafeMutableRawPointer] = []
  private var used = chunkBytes

  deinit { for chunk in chunks { chunk.deallocate() } }

  /// A copy of the bytes that stays where it is.
  mutating func store(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    guard let source = bytes.baseAddress, bytes.count > 0 else {
      return UnsafeRawBufferPointer(start: nil, count: 0)
    }
    let place: UnsafeMutableRawPointer
    if bytes.count > Self.chunkBytes / 4 {
      // A chunk of its own, behind the one in use.
      place = .allocate(byteCount: bytes.count, alignment: 1)
      chunks.insert(place, at: max(0, chunks.count - 1))
    } else {
      if used + bytes.count > Self.chunkBytes {
        chunks.append(.allocate(byteCount: Self.chunkBytes, alignment: 8))
        used = 0
      }
      place = chunks[chunks.count - 1] + used
      used += bytes.count
    }
    place.copyMemory(from: source, byteCount: bytes.count)
    return UnsafeRawBufferPointer(start: place, count: bytes.count)
  }
}
