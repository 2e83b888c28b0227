// Rows as bytes: each ends in a line feed. Nothing else about them is known here.

import Glibc

let lineFeed = UInt8(ascii: "\n")

extension UnsafeRawBufferPointer {
  /// How many line feeds, that is rows, there are.
  var rowCount: Int {
    var count = 0
    var rest = self
    while let end = rest.rowEnd(atLeast: 1) {
      count += 1
      rest = rest.after(end)
    }
    return count
  }

  /// Where the first row ends whose end is at least `bytes` (> 0) from the start; nil if there is none.
  func rowEnd(atLeast bytes: Int) -> Int? {
    guard bytes <= count, let base = baseAddress else { return nil }
    guard let found = memchr(base + (bytes - 1), CInt(lineFeed), count - (bytes - 1)) else { return nil }
    return UnsafeRawPointer(found) - base + 1
  }

  /// Where the last whole row ends; 0 if there is none.
  var lastRowEnd: Int {
    (lastIndex(of: lineFeed) ?? -1) + 1
  }

  /// Where the first `count` rows end, which must be there.
  func end(ofRows count: Int) -> Int {
    var end = 0
    for _ in 0..<count {
      guard let rowEnd = after(end).rowEnd(atLeast: 1) else { preconditionFailure("fewer rows than said") }
      end += rowEnd
    }
    return end
  }

  /// The first `count` bytes.
  func first(_ count: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self[..<count]) }

  /// All but the first `count` bytes.
  func after(_ count: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self[count...]) }
}
