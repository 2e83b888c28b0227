// Memory for texts of any length that come and go: chains of cells of one size, reused by a free list.
//
// Invariants:
// - A text's cells belong to it alone from `store` to `remove`.
// - A removed text is overwritten with zeros: what a customer took back stays nowhere.
// - No allocation while there is a free cell.

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

  private var cells = UnsafeMutableRawPointer.allocate(byteCount: 64 * cellBytes, alignment: cellBytes)
  private var capacity: UInt32 = 64
  private var used: UInt32 = 0
  private var free: UInt32 = .max
  /// Cells that hold text.
  public private(set) var occupiedCells = 0

  public init() {}

  deinit { cells.deallocate() }

  private func link(_ cell: UInt32) -> UnsafeMutablePointer<UInt32> {
    (cells + Int(cell) * Self.cellBytes).assumingMemoryBound(to: UInt32.self)
  }

  private func text(_ cell: UInt32) -> UnsafeMutableRawPointer { cells + Int(cell) * Self.cellBytes + 4 }

  private mutating func takeCell() -> UInt32 {
    occupiedCells += 1
    if free != .max {
      let cell = free
      free = link(cell).pointee
      return cell
    }
    if used == capacity { grow() }
    used += 1
    return used - 1
  }

  private mutating func grow() {
    precondition(capacity < 1 << 30, "a text slab is full")
    let larger = UnsafeMutableRawPointer.allocate(
      byteCount: Int(capacity) * 2 * Self.cellBytes, alignment: Self.cellBytes)
    larger.copyMemory(from: cells, byteCount: Int(capacity) * Self.cellBytes)
    cells.deallocate()
    cells = larger
    capacity *= 2
  }

  /// Stores a copy of a text. An empty one needs no cell.
  public mutating func store(_ bytes: UnsafeRawBufferPointer) -> TextHandle {
    var first = UInt32.max
    var last = UInt32.max
    var offset = 0
    while offset < bytes.count {
      let cell = takeCell()
      let count = min(Self.textBytes, bytes.count - offset)
      text(cell).copyMemory(from: bytes.baseAddress! + offset, byteCount: count)
      link(cell).pointee = .max
      if last == .max { first = cell } else { link(last).pointee = cell }
      last = cell
      offset += count
    }
    return TextHandle(cell: first, length: UInt32(bytes.count))
  }

  /// Copies a text to `out`, which has room for its length.
  public func copy(_ handle: TextHandle, to out: UnsafeMutableRawPointer) {
    var cell = handle.cell
    var offset = 0
    while cell != .max {
      let count = min(Self.textBytes, Int(handle.length) - offset)
      (out + offset).copyMemory(from: text(cell), byteCount: count)
      offset += count
      cell = link(cell).pointee
    }
  }

  /// Forgets a text.
  public mutating func remove(_ handle: TextHandle) {
    var cell = handle.cell
    while cell != .max {
      let next = link(cell).pointee
      text(cell).initializeMemory(as: UInt8.self, repeating: 0, count: Self.textBytes)
      link(cell).pointee = free
      free = cell
      occupiedCells -= 1
      cell = next
    }
  }
}
