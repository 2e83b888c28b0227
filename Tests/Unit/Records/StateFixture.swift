// What the tests of encoded state share.

import Records
import Testing
import TestSupport

/// What `encode` appends.
func encodedState(_ encode: (inout StateEncoder) -> Void) -> [UInt8] {
  var encoder = StateEncoder(capacityBytes: 1)
  encode(&encoder)
  return Array(encoder.bytes)
}

/// What `decode` reads, which must be all of the bytes.
func decodedState<State>(
  _ bytes: [UInt8], _ decode: (inout StateDecoder) throws(StateError) -> State
) throws -> State {
  // In memory of exactly their size, so that a sanitizer sees reads behind them.
  let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
  defer { memory.deallocate() }
  memory.copyBytes(from: bytes)
  var decoder = StateDecoder(UnsafeRawBufferPointer(memory))
  let state = try decode(&decoder)
  try decoder.readEnd()
  return state
}

/// The bytes of lines of hexadecimal numbers, each with a word about them behind two spaces.
func pinnedBytes(_ lines: String) -> [UInt8] {
  lines.split(separator: "\n").flatMap { line in
    line.split(separator: " ", omittingEmptySubsequences: false).prefix { !$0.isEmpty }
      .compactMap { UInt8($0, radix: 16) }
  }
}

/// Decodes damaged versions of a state: each of its beginnings, which must be refused, and versions with
/// random bytes in random places, which must be refused, or else be encoded to these bytes again and be of use.
func expectDamageIsHarmless<State>(
  to bytes: [UInt8], changes: Int, _ random: inout SeededRandom,
  decode: (inout StateDecoder) throws(StateError) -> State, encode: (State, inout StateEncoder) -> Void,
  use: (State, inout SeededRandom) -> Void
) {
  for count in bytes.indices {
    #expect(throws: StateError.self, "the first \(count) bytes") {
      try decodedState(Array(bytes[..<count]), decode)
    }
  }
  var (accepted, refused) = (0, 0)
  for _ in 0..<changes {
    var damaged = bytes
    for _ in 0..<(random.oneIn(4) ? 3 : 1) {
      let place = Int.random(in: damaged.indices, using: &random)
      damaged[place] = random.pick([
        0, 1, 0x7F, 0xFF, damaged[place] ^ 1, UInt8.random(in: 0...255, using: &random),
      ])
    }
    do {
      let state = try decodedState(damaged, decode)
      #expect(encodedState { encode(state, &$0) } == damaged)
      use(state, &random)
      accepted += 1
    } catch {
      #expect((error as? StateError).map { $0.byte <= damaged.count } == true, "\(error)")
      refused += 1
    }
  }
  #expect(accepted > 0 && refused > 0)
}
