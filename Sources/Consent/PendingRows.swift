// The rows of customers that wait to be curated, each known by one number: a fifth of a customer's entry would else be
// about a row that most customers no longer have.
//
// Invariants:
// - A row is in the slab and nowhere else, so that nothing is left of it when it is removed.
// - Its handle is in the slab, too, as a text of its own, whose first cell is the row's number.

import Records

struct PendingRows: ~Copyable {
  /// No row.
  static let none = UInt32.max

  private var slab = TextSlab()

  /// Keeps a copy of a row.
  mutating func store(_ row: UnsafeRawBufferPointer) -> UInt32 {
    let handle = slab.store(row)
    return withUnsafeBytes(of: handle) { slab.store($0).cell }
  }

  /// Copies a row to where `place` says, which gets its length.
  func copy(_ row: UInt32, to place: (Int) -> UnsafeMutableRawPointer) {
    let handle = handle(row)
    slab.copy(handle, to: place(Int(handle.length)))
  }

  /// Forgets a row, if it is one: its memory is overwritten with zeros.
  mutating func remove(_ row: UInt32) {
    guard row != Self.none else { return }
    slab.remove(handle(row))
    slab.remove(Self.text(of: row))
  }

  private func handle(_ row: UInt32) -> TextHandle {
    var handle = TextHandle.none
    withUnsafeMutableBytes(of: &handle) { slab.copy(Self.text(of: row), to: $0.baseAddress!) }
    return handle
  }

  private static func text(of row: UInt32) -> TextHandle {
    TextHandle(cell: row, length: UInt32(MemoryLayout<TextHandle>.size))
  }
}
