// The bytes of one simulated file: those that a process sees, and those that the disk is known to have.
//
// Invariant: what was synced and not cut since survives every crash of the machine.

import TestSupport

final class SimulatedContent {
  private static let sectorBytes = 512

  /// What processes see.
  private(set) var bytes: [UInt8] = []
  /// What the last sync made durable.
  private(set) var durable: [UInt8] = []
  /// Some name leads here.
  var isNamed = false
  /// As far as `bytes` were never cut since the last sync: there they are those of `durable`.
  private var sharedBytes = 0
  /// Ranges that the kernel takes for written though the disk failed to: no later sync will write them.
  private var forgotten: [Range<Int>] = []
  /// What a dead machine left that it had not made durable, until a sync.
  private var left = 0..<0

  func append(_ new: UnsafeRawBufferPointer.SubSequence) { bytes.append(contentsOf: new) }

  /// Cuts the file.
  /// - Returns: whether there was need: a machine had died and left what is cut, and never had it durable.
  func truncate(to size: Int) -> Bool {
    defer {
      bytes.removeLast(bytes.count - size)
      sharedBytes = min(sharedBytes, size)
      forgotten = forgotten.map { $0.clamped(to: 0..<size) }.filter { !$0.isEmpty }
    }
    return bytes.count == size || (left.lowerBound <= size && bytes.count <= left.upperBound)
  }

  func sync() {
    durable = bytes
    sharedBytes = bytes.count
    left = bytes.count..<bytes.count
  }

  /// A sync that failed.
  /// - Parameter forgetting: the pages count as clean from now on, written or not; else they stay to be written.
  func failToSync(_ random: inout SeededRandom, forgetting: Bool) {
    guard forgetting, sharedBytes < bytes.count, random.oneIn(2) else { return }
    forgotten.append(sharedBytes..<bytes.count)
  }

  /// Changes a byte, as a bad sector would.
  func damage(at place: Int) {
    bytes[place] ^= 0x10
    durable = bytes
  }

  // MARK: Death of the machine

  /// Keeps a random part of what was not synced.
  func crash(_ random: inout SeededRandom) {
    let cutWasLost = sharedBytes < durable.count && random.oneIn(2)
    let kept = cutWasLost ? durable : torn(&random)
    settle(kept, durableBytes: cutWasLost ? durable.count : sharedBytes)
  }

  /// Keeps nothing of it.
  func loseUnsynced() {
    settle(durable, durableBytes: durable.count)
  }

  private func settle(_ kept: [UInt8], durableBytes: Int) {
    bytes = kept
    for range in forgotten {
      for place in range.clamped(to: 0..<bytes.count) { bytes[place] = 0 }
    }
    let durableBytes = min(durableBytes, forgotten.map(\.lowerBound).min() ?? durableBytes)
    forgotten = []
    durable = bytes
    sharedBytes = bytes.count
    // What an earlier death left is not synced yet either.
    left = min(durableBytes, left.isEmpty ? durableBytes : left.lowerBound)..<bytes.count
  }

  // The appended bytes: none, all, a prefix, or sectors of which some were never written.
  private func torn(_ random: inout SeededRandom) -> [UInt8] {
    guard sharedBytes < bytes.count else { return bytes }
    switch Int.random(in: 0..<4, using: &random) {
    case 0: return Array(bytes[..<sharedBytes])
    case 1: return bytes
    case 2: return Array(bytes[..<Int.random(in: sharedBytes...bytes.count, using: &random)])
    default: return withLostSectors(&random)
    }
  }

  private func withLostSectors(_ random: inout SeededRandom) -> [UInt8] {
    var kept = Array(bytes[..<Int.random(in: sharedBytes...bytes.count, using: &random)])
    var start = sharedBytes
    while start < kept.count {
      let end = min(kept.count, (start / Self.sectorBytes + 1) * Self.sectorBytes)
      let isLost = random.oneIn(2)
      let holdsZeros = random.oneIn(2)
      for place in start..<end where isLost {
        kept[place] = holdsZeros ? 0 : UInt8(truncatingIfNeeded: random.next())
      }
      start = end
    }
    return kept
  }
}
