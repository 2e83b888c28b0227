// Maps identities (emails, serial numbers) to small numbers: open addressing over seeded XXH3.
//
// Invariants:
// - Numbers are given out in order from 0 and are never taken back.
// - At most 3/4 of the slots are used, so that a probe always ends.
// - A slot is one word: an identity's number in as many low bits as count the slots, which no number fills with ones,
//   and bits of its hash above them, so that few keys are looked at in vain.
// - The hash is seeded, so that nobody outside can choose keys that collide; no output depends on it.

import CFastPath
import Records

/// Interned byte strings.
struct IdentityTable: ~Copyable {
  /// No identity's number, and what an empty slot holds.
  static let none = UInt32.max
  /// So many identities there can be: who keeps a number has one bit beside it for something else.
  static let limit = (1 << 31) - 1

  private let seed: UInt64
  private var slots: UnsafeMutableBufferPointer<UInt32>
  /// Where the identities are, with the flag that JSON shows them as they are; nowhere for those nobody can name.
  private var keys = GrowingArray<ByteArena.Place>()
  private var arena = ByteArena()
  var count: Int { keys.count }

  init(seed: UInt64) {
    self.seed = seed
    slots = Self.emptySlots(64)
  }

  private static func emptySlots(_ count: Int) -> UnsafeMutableBufferPointer<UInt32> {
    let slots = UnsafeMutableBufferPointer(
      start: allocateForLookUps(UInt32.self, capacity: count), count: count)
    slots.initialize(repeating: none)
    return slots
  }

  deinit { freeSlots() }

  private func freeSlots() { freeForLookUps(slots.baseAddress!, capacity: slots.count) }

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
    let tag = tag(hash)
    let mask = slots.count - 1
    var place = Int(truncatingIfNeeded: hash) & mask
    while slots[place] != Self.none {
      let id = slots[place] & idBits
      if slots[place] == tag | id && isRight(id) { return id }
      place = (place + 1) & mask
    }
    return nil
  }

  /// The bits of a slot that hold a number.
  private var idBits: UInt32 { UInt32(truncatingIfNeeded: slots.count - 1) }

  /// The bits of a slot that hold a part of the hash: not the part that chooses the slot.
  private func tag(_ hash: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: hash >> 32) & ~idBits }

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
    fetchPlace(id)
    return id
  }

  /// Begins to fetch where a key is.
  func fetchPlace(_ id: UInt32) { sg_prefetch(keys.base + Int(id)) }

  /// Begins to fetch the bytes of a key, most likely all of them.
  /// - Parameter byteCount: how many those most likely are.
  func fetchText(_ id: UInt32, byteCount: Int) {
    sg_prefetch_bytes(arena.address(keys[Int(id)]), ByteArena.headerBytes + byteCount)
  }

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
    precondition(count < Self.limit, "more identities than numbers")
    if count >= slots.count / 4 * 3 { grow() }
    keys.append(place)
    return UInt32(count - 1)
  }

  private mutating func place(_ id: UInt32) {
    let hash = hash(key(id))
    let mask = slots.count - 1
    var place = Int(truncatingIfNeeded: hash) & mask
    while slots[place] != Self.none { place = (place + 1) & mask }
    slots[place] = tag(hash) | id
  }

  private mutating func grow() {
    let size = slots.count * 2
    freeSlots()
    slots = Self.emptySlots(size)
    for id in 0..<count where keys[id] != ByteArena.nowhere { place(UInt32(id)) }
  }
}
