// Maps identities (emails, serial numbers) to small numbers: open addressing over seeded XXH3.
//
// Invariants:
// - Numbers are given out in order from 0 and are never taken back.
// - At most 3/4 of the slots are used, so that a probe always ends.
// - The hash is seeded, so that nobody outside can choose keys that collide; no output depends on it.

import CFastPath
import Glibc

/// Interned byte strings.
struct IdentityTable: ~Copyable {
  private struct Slot {
    var fingerprint: UInt32
    var id: UInt32
  }
  private static let empty = UInt32.max

  private let seed: UInt64
  private var slots: UnsafeMutableBufferPointer<Slot>
  private var keys: UnsafeMutableBufferPointer<UnsafeRawBufferPointer>
  private var arena = ByteArena()
  private(set) var count = 0

  init(seed: UInt64) {
    self.seed = seed
    slots = .allocate(capacity: 64)
    slots.initialize(repeating: Slot(fingerprint: 0, id: Self.empty))
    keys = .allocate(capacity: 48)
  }

  deinit {
    slots.deallocate()
    keys.deallocate()
  }

  /// The bytes of an identity; they never move.
  func key(_ id: UInt32) -> UnsafeRawBufferPointer {
    assert(id < count)
    return keys[Int(id)]
  }

  /// The number of an identity, or nil when it is not known.
  func find(_ bytes: UnsafeRawBufferPointer) -> UInt32? {
    let hash = sg_xxh3(bytes.baseAddress, bytes.count, seed)
    let fingerprint = UInt32(truncatingIfNeeded: hash >> 32)
    let mask = slots.count - 1
    var place = Int(truncatingIfNeeded: hash) & mask
    while slots[place].id != Self.empty {
      let slot = slots[place]
      if slot.fingerprint == fingerprint && equal(keys[Int(slot.id)], bytes) { return slot.id }
      place = (place + 1) & mask
    }
    return nil
  }

  /// The number of an identity, new or known.
  mutating func intern(_ bytes: UnsafeRawBufferPointer) -> (id: UInt32, isNew: Bool) {
    if let id = find(bytes) { return (id, false) }
    let id = addKey(arena.store(bytes))
    place(id)
    return (id, true)
  }

  /// A number that stands for an identity nobody can name.
  mutating func addAnonymous() -> UInt32 {
    addKey(UnsafeRawBufferPointer(start: nil, count: 0))
  }

  private mutating func addKey(_ key: UnsafeRawBufferPointer) -> UInt32 {
    precondition(count < Int(UInt32.max), "more identities than numbers")
    if count == keys.count { grow() }
    keys[count] = key
    count += 1
    return UInt32(count - 1)
  }

  private mutating func place(_ id: UInt32) {
    let key = keys[Int(id)]
    let hash = sg_xxh3(key.baseAddress, key.count, seed)
    let mask = slots.count - 1
    var place = Int(truncatingIfNeeded: hash) & mask
    while slots[place].id != Self.empty { place = (place + 1) & mask }
    slots[place] = Slot(fingerprint: UInt32(truncatingIfNeeded: hash >> 32), id: id)
  }

  private mutating func grow() {
    let moreKeys = UnsafeMutableBufferPointer<UnsafeRawBufferPointer>.allocate(capacity: keys.count * 2)
    _ = moreKeys.initialize(from: keys)
    keys.deallocate()
    keys = moreKeys
    let size = slots.count * 2
    slots.deallocate()
    slots = .allocate(capacity: size)
    slots.initialize(repeating: Slot(fingerprint: 0, id: Self.empty))
    for id in 0..<count where keys[id].count > 0 { place(UInt32(id)) }
  }

  private func equal(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
    a.count == b.count && memcmp(a.baseAddress!, b.baseAddress!, a.count) == 0
  }
}
