// Maps identities (emails, serial numbers) to small numbers: open addressing over seeded XXH3.
//
// Invariants:
// - Numbers are given out in order from 0 and are never taken back.
// - At most 3/4 of the slots are used, so that a probe always ends.
// - The hash is seeded, so that nobody outside can choose keys that collide; no output depends on it.

import CFastPath
import Records

/// Interned byte strings.
struct IdentityTable: ~Copyable {
  private struct Slot {
    var fingerprint: UInt32
    var id: UInt32
  }
  /// No identity's number.
  static let none = UInt32.max

  private let seed: UInt64
  private var slots: UnsafeMutableBufferPointer<Slot>
  /// Where the identities are, with the flag that JSON shows them as they are; nowhere for those nobody can name.
  private var keys = GrowingArray<ByteArena.Place>()
  private var arena = ByteArena()
  var count: Int { keys.count }

  init(seed: UInt64) {
    self.seed = seed
    slots = .allocate(capacity: 64)
    slots.initialize(repeating: Slot(fingerprint: 0, id: Self.none))
  }

  deinit { slots.deallocate() }

  /// The bytes of an identity; they never move.
  func key(_ id: UInt32) -> UnsafeRawBufferPointer {
    let place = keys[Int(id)]
    return place == ByteArena.nowhere ? UnsafeRawBufferPointer(start: nil, count: 0) : arena.text(place)
  }

  /// The same, ready to be written.
  func text(_ id: UInt32) -> IdentityText {
    let place = keys[Int(id)]
    if place == ByteArena.nowhere { return IdentityText(bytes: key(id), isPlain: true) }
    return IdentityText(bytes: arena.text(place), isPlain: arena.flag(place))
  }

  /// The number of an identity, or nil when it is not known.
  /// - Parameter guess: the number that it most likely has; any will do.
  func find(_ bytes: UnsafeRawBufferPointer, guess: UInt32 = none) -> UInt32? {
    if Int(guess) < count && has(guess, bytes) { return guess }
    return find(hash(bytes)) { has($0, bytes) }
  }

  private func has(_ id: UInt32, _ bytes: UnsafeRawBufferPointer) -> Bool {
    let place = keys[Int(id)]
    return place != ByteArena.nowhere && arena.text(place).isSameIdentity(as: bytes)
  }

  @inline(__always)
  private func find(_ hash: UInt64, where isRight: (UInt32) -> Bool) -> UInt32? {
    let fingerprint = UInt32(truncatingIfNeeded: hash >> 32)
    let mask = slots.count - 1
    var place = Int(truncatingIfNeeded: hash) & mask
    while slots[place].id != Self.none {
      let slot = slots[place]
      if slot.fingerprint == fingerprint && isRight(slot.id) { return slot.id }
      place = (place + 1) & mask
    }
    return nil
  }

  private func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    sg_xxh3(bytes.baseAddress, bytes.count, seed)
  }

  // MARK: Fetching ahead, see `ConsentIndex.fetch`

  /// Hashes an identity and begins to fetch its slot.
  func fetchSlot(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    let hash = hash(bytes)
    sg_prefetch(slots.baseAddress! + (Int(truncatingIfNeeded: hash) & (slots.count - 1)))
    return hash
  }

  /// Begins to fetch where the key is that an identity with this hash most likely has. Returns its number, or `none`.
  func fetchKey(_ hash: UInt64) -> UInt32 {
    guard let id = find(hash, where: { _ in true }) else { return Self.none }
    sg_prefetch(keys.base + Int(id))
    return id
  }

  /// Begins to fetch the bytes of a key.
  func fetchText(_ id: UInt32) { sg_prefetch(arena.address(keys[Int(id)])) }

  /// The number of an identity, new or known.
  mutating func intern(_ bytes: UnsafeRawBufferPointer) -> (id: UInt32, isNew: Bool) {
    if let id = find(bytes) { return (id, false) }
    let id = addKey(arena.store(bytes, flag: !bytes.contains(where: mustEscapeInJSON)))
    place(id)
    return (id, true)
  }

  /// A number that stands for an identity nobody can name.
  mutating func addAnonymous() -> UInt32 {
    addKey(ByteArena.nowhere)
  }

  private mutating func addKey(_ place: ByteArena.Place) -> UInt32 {
    precondition(count < Int(UInt32.max), "more identities than numbers")
    if count >= slots.count / 4 * 3 { grow() }
    keys.append(place)
    return UInt32(count - 1)
  }

  private mutating func place(_ id: UInt32) {
    let hash = hash(key(id))
    let mask = slots.count - 1
    var place = Int(truncatingIfNeeded: hash) & mask
    while slots[place].id != Self.none { place = (place + 1) & mask }
    slots[place] = Slot(fingerprint: UInt32(truncatingIfNeeded: hash >> 32), id: id)
  }

  private mutating func grow() {
    let size = slots.count * 2
    slots.deallocate()
    slots = .allocate(capacity: size)
    slots.initialize(repeating: Slot(fingerprint: 0, id: Self.none))
    for id in 0..<count where keys[id] != ByteArena.nowhere { place(UInt32(id)) }
  }
}
