// Randomness that is the same for the same seed, on every machine and with every Swift version.

/// SplitMix64 (Steele, Lea and Flood, 2014): 64 bits of state, every seed is a good one.
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// A number from 0 to `bound` - 1. The standard library's own choice of algorithm is not promised to stay.
  mutating func below(_ bound: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// A number from -1 (included) to 1 with 53 random bits, so mostly 16 or 17 digits long.
  mutating func acceleration() -> Double {
    Double(Int64(next() >> 11) - (1 << 52)) / Double(1 << 52)
  }
}
