// Memory for texts of any length that come and go: chains of cells of one size, in chunks that are given back when
// they are empty.
//
// Invariants:
// - A text's cells belong to it alone from `store` to `remove`.
// - A removed text is overwritten with zeros: what a customer took back stays nowhere.
// - Every chunk that is not full is in the list of those with room, once.
// - Texts that come and go, one at a time, allocate nothing.

/// A text's place in a slab.
@frozen public struct TextHandle: Equatable, Sendable {
  public let cell: UInt32
  public let length: UInt32

  @inlinable public init(cell: UInt32, length: UInt32) {
    self.cell = cell
    self.length = length
  }

  /// No text.
  public static let none = TextHandle(cell: .max, length: 0)
}

/// Stores texts in chains of 64-byte cells.
public struct TextSlab: ~Copyable {
  /// What one cell costs.
  public static let cellBytes = 64
  private static let textBytes = 60
  private static let none = UInt32.max

  /// 64 KiB of cells.
  private struct Chunk {
    static let cellCount: UInt32 = 1024
    /// Nil while there is no memory for the cells, of which none is in use then.
    var memory: UnsafeMutableRawPointer?
    /// Cells that hold text; cells that ever did since there is memory, which lie in front.
    var occupied: UInt32 = 0
    var touched: UInt32 = 0
    /// The first of the touched cells that hold none.
    var free = TextSlab.none
    /// The next chunk with room.
    var next = TextSlab.none

    var isFull: Bool { occupied == Self.cellCount }
  }

  private var chunks: [Chunk] = []
  /// The first of all chunks that are not full. Texts are stored there.
  private var roomy = TextSlab.none
  /// Cells that hold text.
  public private(set) var occupiedCells = 0

  public init() {}

  deinit { for chunk in chunks { chunk.memory?.deallocate() } }

  /// The memory taken, in bytes.
  public var memoryBytes: Int {
    chunks.count { $0.memory != nil } * Int(Chunk.cellCount) * Self.cellBytes
  }

  private func address(_ cell: UInt32) -> UnsafeMutableRawPointer {
    let (chunk, place) = cell.quotientAndRemainder(dividingBy: Chunk.cellCount)
    return chunks[Int(chunk)].memory.unsafelyUnwrapped + Int(place) * Self.cellBytes
  }

  private func link(_ cell: UInt32) -> UnsafeMutablePointer<UInt32> {
    address(cell).assumingMemoryBound(to: UInt32.self)
  }

  private func text(_ cell: UInt32) -> UnsafeMutableRawPointer { address(cell) + 4 }

  private mutating func takeCell() -> UInt32 {
    if roomy == Self.none { addChunk() }
    let number = roomy
    let place = Int(number)
    if chunks[place].memory == nil { allocate(place) }
    let cell: UInt32
    if chunks[place].free != Self.none {
      cell = chunks[place].free
      chunks[place].free = link(cell).pointee
    } else {
      cell = number * Chunk.cellCount + chunks[place].touched
      chunks[place].touched += 1
    }
    chunks[place].occupied += 1
    occupiedCells += 1
    if chunks[place].isFull { roomy = chunks[place].next }
    return cell
  }

  private mutating func giveBack(_ cell: UInt32) {
    let number = cell / Chunk.cellCount
    let place = Int(number)
    if chunks[place].isFull {
      if roomy != Self.none { releaseIfEmpty(Int(roomy)) }
      chunks[place].next = roomy
      roomy = number
    }
    link(cell).pointee = chunks[place].free
    chunks[place].free = cell
    chunks[place].occupied -= 1
    occupiedCells -= 1
    // The first one keeps its memory, so that texts that come and go do not allocate.
    if number != roomy { releaseIfEmpty(place) }
  }

  private mutating func releaseIfEmpty(_ place: Int) {
    guard chunks[place].occupied == 0 else { return }
    chunks[place].memory?.deallocate()
    chunks[place] = Chunk(next: chunks[place].next)
  }

  private mutating func addChunk() {
    precondition(chunks.count < Int(Self.none / Chunk.cellCount), "a text slab is full")
    roomy = UInt32(chunks.count)
    chunks.append(Chunk())
  }

  private mutating func allocate(_ place: Int) {
    chunks[place].memory = .allocate(
      byteCount: Int(Chunk.cellCount) * Self.cellBytes, alignment: Self.cellBytes)
  }

  /// Stores a copy of a text. An empty one needs no cell.
  public mutating func store(_ bytes: UnsafeRawBufferPointer) -> TextHandle {
    var first = Self.none
    var last = Self.none
    var offset = 0
    while offset < bytes.count {
      let cell = takeCell()
      let count = min(Self.textBytes, bytes.count - offset)
      text(cell).copyMemory(from: bytes.baseAddress! + offset, byteCount: count)
      link(cell).pointee = Self.none
      if last == Self.none { first = cell } else { link(last).pointee = cell }
      last = cell
      offset += count
    }
    return TextHandle(cell: first, length: UInt32(bytes.count))
  }

  /// Copies a text to `out`, which has room for its length.
  public func copy(_ handle: TextHandle, to out: UnsafeMutableRawPointer) {
    var cell = handle.cell
    var offset = 0
    while cell != Self.none {
      let count = min(Self.textBytes, Int(handle.length) - offset)
      (out + offset).copyMemory(from: text(cell), byteCount: count)
      offset += count
      cell = link(cell).pointee
    }
  }

  /// Forgets a text.
  public mutating func remove(_ handle: TextHandle) {
    var cell = handle.cell
    while cell != Self.none {
      let next = link(cell).pointee
      text(cell).initializeMemory(as: UInt8.self, repeating: 0, count: Self.textBytes)
      giveBack(cell)
      cell = next
    }
  }
}
