// The two clocks of the ingest loop, so that a simulation can run them faster.

import Glibc

/// Tells the time.
public protocol IngestClock {
  /// Milliseconds since 1970-01-01 UTC: what messages are stamped with.
  var wallMs: Int64 { get }
  /// Milliseconds since some moment; never runs backwards.
  var monotonicMs: Int { get }
}

/// The machine's clocks.
public struct SystemClock: IngestClock, Sendable {
  public init() {}

  public var wallMs: Int64 { read(CLOCK_REALTIME) }
  public var monotonicMs: Int { Int(read(CLOCK_MONOTONIC)) }

  private func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }
}
