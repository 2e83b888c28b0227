// One input of the fuzzer: choices, then pieces, with a separator between each and the next. libFuzzer learns
// the separator from the seeds and from coverage, moves pieces about and puts new ones in.
//
// Invariants: every string of bytes is an input; the same bytes always mean the same.

struct FuzzInput {
  /// No byte 0xFF is in any UTF-8 text.
  static let separator: [UInt8] = [0xFF, 0x2D, 0x2D, 0xFF]
  /// More pieces make an input slower, not better; what follows stays in the last one.
  private static let pieceLimit = 24

  var choices: Choices
  let pieces: [[UInt8]]

  init(_ bytes: UnsafeRawBufferPointer) {
    var pieces: [[UInt8]] = []
    var start = 0
    var place = 0
    while place + Self.separator.count <= bytes.count, pieces.count < Self.pieceLimit {
      if bytes[place] == 0xFF, bytes[place...].starts(with: Self.separator) {
        pieces.append(Array(bytes[start..<place]))
        place += Self.separator.count
        start = place
      } else {
        place += 1
      }
    }
    pieces.append(Array(bytes[start...]))
    choices = Choices(pieces.removeFirst())
    self.pieces = pieces
  }

  /// The bytes that are read as these choices and pieces.
  static func bytes(_ choices: [UInt8], _ pieces: [[UInt8]]) -> [UInt8] {
    Array(([choices] + pieces).joined(separator: separator))
  }
}

/// Decisions that the fuzzer takes, a byte each, so that it can change one alone; a missing byte is 0.
struct Choices {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: some Sequence<UInt8>) { rest = ArraySlice(Array(bytes)) }

  mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

  mutating func flag() -> Bool { byte() & 1 == 1 }

  mutating func one<Option>(of options: [Option]) -> Option { options[Int(byte()) % options.count] }
}
