// Memory for identities: handed out once, never moved, freed all at once.
//
// Invariant: a text lies in one chunk, at a multiple of 2 bytes, behind 2 bytes with its length and a flag; where the
// length does not fit in 15 bits, these are ones, and 4 bytes with the length follow.

import Records

struct ByteArena: ~Copyable {
  /// Where a text is: the number of its chunk, and its place there in units of 2 bytes.
  typealias Place = UInt32
  static let nowhere = Place.max

  private static let chunkBytes = 1 << 18
  private static let placeBits: UInt32 = 17
  static let headerBytes = 2
  private static let longLength = 0x7FFF
  private static let longHeaderBytes = 6
  private var chunks: [UnsafeMutableRawPointer] = []
  private var used = chunkBytes
  /// Once there are many, chunks are cut from larger pieces, which large pages can hold.
  private static let chunksInPiece = 16
  private var restOfPiece: UnsafeMutableRawPointer?
  private var chunksLeftInPiece = 0
  private var owned: [UnsafeMutableBufferPointer<UInt8>] = []

  deinit { for memory in owned { freeForLookUps(memory.baseAddress!, capacity: memory.count) } }

  /// Keeps a copy of a text that is not empty, and a flag with it.
  mutating func store(_ text: UnsafeRawBufferPointer, flag: Bool) -> Place {
    precondition(!text.isEmpty && text.count < 1 << 31)
    let isLong = text.count >= Self.longLength
    let headerBytes = isLong ? Self.longHeaderBytes : Self.headerBytes
    let bytes = (headerBytes + text.count + 1) & ~1
    // One that would waste too much of a chunk gets one of its own, behind which another begins.
    if used + bytes > Self.chunkBytes || bytes > Self.chunkBytes {
      precondition(chunks.count < 1 << (32 - Self.placeBits), "the identities' memory is full")
      addChunk(bytes)
      used = 0
    }
    let place = Place(chunks.count - 1) << Self.placeBits | Place(used / 2)
    let start = address(place)
    let length = UInt16(isLong ? Self.longLength : text.count)
    start.storeBytes(of: length << 1 | (flag ? 1 : 0), as: UInt16.self)
    if isLong { (start + Self.headerBytes).storeBytes(of: UInt32(text.count), as: UInt32.self) }
    (start + headerBytes).copyMemory(from: text.baseAddress!, byteCount: text.count)
    used += bytes
    return place
  }

  private mutating func addChunk(_ bytes: Int) {
    if bytes > Self.chunkBytes || chunks.count < Self.chunksInPiece {
      chunks.append(allocate(max(Self.chunkBytes, bytes)))
      return
    }
    if chunksLeftInPiece == 0 {
      restOfPiece = allocate(Self.chunksInPiece * Self.chunkBytes)
      chunksLeftInPiece = Self.chunksInPiece
    }
    chunks.append(restOfPiece!)
    restOfPiece! += Self.chunkBytes
    chunksLeftInPiece -= 1
  }

  private mutating func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
    let memory = allocateForLookUps(UInt8.self, capacity: byteCount)
    owned.append(UnsafeMutableBufferPointer(start: memory, count: byteCount))
    return UnsafeMutableRawPointer(memory)
  }

  /// The address of a text's length, to be fetched ahead.
  func address(_ place: Place) -> UnsafeMutableRawPointer {
    chunks[Int(place >> Self.placeBits)] + Int(place & (1 << Self.placeBits - 1)) * 2
  }

  /// A text, which stays where it is.
  func text(_ place: Place) -> UnsafeRawBufferPointer {
    let start = address(place)
    let length = Int(start.load(as: UInt16.self) >> 1)
    if length == Self.longLength {
      let count = (start + Self.headerBytes).loadUnaligned(as: UInt32.self)
      return UnsafeRawBufferPointer(start: start + Self.longHeaderBytes, count: Int(count))
    }
    return UnsafeRawBufferPointer(start: start + Self.headerBytes, count: length)
  }

  func flag(_ place: Place) -> Bool { address(place).load(as: UInt16.self) & 1 != 0 }
}
