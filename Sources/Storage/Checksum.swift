// XXH3-64, the checksum of everything on disk. It finds damage, not forgery: it has no key.

import CFastPath

/// XXH3-64 of `bytes`. A seed binds the checksum to what is not among the bytes, such as their position.
public func checksum(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
  sg_xxh3(bytes.baseAddress, bytes.count, seed)
}

/// XXH3-64 (seed 0) of bytes that come in pieces; equal to `checksum` of all of them at once.
public struct RunningChecksum: ~Copyable {
  private let state: OpaquePointer

  public init() {
    guard let state = sg_xxh3_create() else { preconditionFailure("out of memory") }
    self.state = state
  }

  deinit { sg_xxh3_destroy(state) }

  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    sg_xxh3_update(state, bytes.baseAddress, bytes.count)
  }

  /// The checksum of what came since the beginning or the last `finish`; begins anew.
  public mutating func finish() -> UInt64 {
    defer { sg_xxh3_reset(state) }
    return sg_xxh3_digest(state)
  }
}
