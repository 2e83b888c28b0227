// The text of an identity, and whether JSON shows it as it is.

import Glibc

/// An identity as it is kept: what costs something to know about it is known once.
@frozen public struct IdentityText {
  /// UTF-8.
  public let bytes: UnsafeRawBufferPointer
  /// Whether a JSON string may hold the bytes without escapes.
  public let isPlain: Bool

  @inlinable public init(bytes: UnsafeRawBufferPointer, isPlain: Bool) {
    self.bytes = bytes
    self.isPlain = isPlain
  }
}

/// Whether a JSON string must escape a byte (RFC 8259, section 7).
@inlinable public func mustEscapeInJSON(_ byte: UInt8) -> Bool {
  byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
}

extension UnsafeRawBufferPointer {
  /// Whether two identities, which are never empty, are the same.
  @inlinable public func isSameIdentity(as other: UnsafeRawBufferPointer) -> Bool {
    count == other.count && memcmp(baseAddress!, other.baseAddress!, count) == 0
  }
}
