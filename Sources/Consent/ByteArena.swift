// Memory for identities: handed out once, never moved, freed all at once.
//
// Invariant: a text lies in one chunk, behind 4 bytes with its length and a flag, at a multiple of 4 bytes.

import Glibc

struct ByteArena: ~Copyable {
  /// Where a text is: the number of its chunk, and its place there in units of 4 bytes.
  typealias Place = UInt32
  static let nowhere = Place.max

  private static let chunkBytes = 1 << 18
  private static let placeBits: UInt32 = 16
  private static let headerBytes = 4
  private var chunks: [UnsafeMutableRawPointer] = []
  private var used = chunkBytes

  deinit { for chunk in chunks { chunk.deallocate() } }

  /// Keeps a copy of a text that is not empty, and a flag with it.
  mutating func store(_ text: UnsafeRawBufferPointer, flag: Bool) -> Place {
    precondition(!text.isEmpty && text.count < 1 << 31)
    let bytes = (Self.headerBytes + text.count + 3) & ~3
    // One that would waste too much of a chunk gets one of its own, behind which another begins.
    if used + bytes > Self.chunkBytes || bytes > Self.chunkBytes {
      precondition(chunks.count < 1 << Self.placeBits, "the identities' memory is full")
      chunks.append(.allocate(byteCount: max(Self.chunkBytes, bytes), alignment: 8))
      used = 0
    }
    let place = Place(chunks.count - 1) << Self.placeBits | Place(used / 4)
    let start = address(place)
    start.storeBytes(of: UInt32(text.count) << 1 | (flag ? 1 : 0), as: UInt32.self)
    (start + Self.headerBytes).copyMemory(from: text.baseAddress!, byteCount: text.count)
    used += bytes
    return place
  }

  /// The address of a text's length, to be fetched ahead.
  func address(_ place: Place) -> UnsafeMutableRawPointer {
    chunks[Int(place >> Self.placeBits)] + Int(place & (1 << Self.placeBits - 1)) * 4
  }

  /// A text, which stays where it is.
  func text(_ place: Place) -> UnsafeRawBufferPointer {
    let start = address(place)
    let header = start.load(as: UInt32.self)
    return UnsafeRawBufferPointer(start: start + Self.headerBytes, count: Int(header >> 1))
  }

  func flag(_ place: Place) -> Bool { address(place).load(as: UInt32.self) & 1 != 0 }
}
