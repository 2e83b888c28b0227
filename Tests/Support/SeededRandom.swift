// Randomness that can be had again: a random test prints its seed, and STEPGATE_TEST_SEED sets it.

import Glibc

/// SplitMix64 (Steele, Lea and Flood, 2014): any seed gives a full period of good numbers.
public struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  /// True once in `count` times on average.
  public mutating func oneIn(_ count: Int) -> Bool { Int.random(in: 0..<count, using: &self) == 0 }

  /// One of the elements, which must be some.
  public mutating func pick<Elements: Collection>(_ elements: Elements) -> Elements.Element {
    guard let element = elements.randomElement(using: &self) else {
      preconditionFailure("there is nothing to pick from")
    }
    return element
  }
}

/// The seed of a random test: that of STEPGATE_TEST_SEED, else a new one. Prints it.
public func testSeed(_ test: String = #function) -> UInt64 {
  let given = getenv("STEPGATE_TEST_SEED").flatMap { UInt64(String(cString: $0)) }
  let seed = given ?? UInt64.random(in: 0..<1 << 48)
  print("\(test): STEPGATE_TEST_SEED=\(seed)")
  return seed
}
