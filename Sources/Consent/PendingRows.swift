// The rows of customers that wait to be curated, each known by one number: half of a customer's entry would else be
// about a row that most customers no longer have.
//
// Invariant: a row lies in the slab behind 4 bytes with its length.

import Records

struct PendingRows: ~Copyable {
  /// No row.
  static let none = UInt32.max
  private static let headerBytes = 4

  private var slab = TextSlab()
  private var behindLength: [UInt8] = []

  /// Keeps a copy of a row, which is not empty.
  mutating func store(_ row: UnsafeRawBufferPointer) -> UInt32 {
    behindLength.removeAll(keepingCapacity: true)
    withUnsafeBytes(of: UInt32(row.count)) { behindLength.append(contentsOf: $0) }
    behindLength.append(contentsOf: row)
    return behindLength.withUnsafeBytes { slab.store($0).cell }
  }

  private func length(_ row: UInt32) -> Int {
    var length: UInt32 = 0
    withUnsafeMutableBytes(of: &length) {
      slab.copy(TextHandle(cell: row, length: UInt32(Self.headerBytes)), to: $0.baseAddress!)
    }
    return Int(length)
  }

  /// Copies a row to where `place` says, which gets its length.
  func copy(_ row: UInt32, to place: (Int) -> UnsafeMutableRawPointer) {
    let length = length(row)
    let out = place(length)
    withUnsafeTemporaryAllocation(byteCount: Self.headerBytes + length, alignment: 1) { text in
      slab.copy(TextHandle(cell: row, length: UInt32(text.count)), to: text.baseAddress!)
      out.copyMemory(from: text.baseAddress! + Self.headerBytes, byteCount: length)
    }
  }

  /// Forgets a row, if it is one: its memory is overwritten with zeros.
  mutating func remove(_ row: UInt32) {
    if row != Self.none { slab.remove(TextHandle(cell: row, length: UInt32(Self.headerBytes + length(row)))) }
  }
}
