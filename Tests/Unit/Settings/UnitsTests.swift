import Testing

@testable import Settings

@Suite struct UnitsTests {
  @Test(arguments: [
    ("0ms", 0), ("100ms", 100), ("007ms", 7), ("30s", 30_000), ("10m", 600_000), ("24h", 86_400_000),
    ("7d", 604_800_000), ("9223372036854775807ms", Int64.max),
  ])
  func `A duration is digits with a unit`(text: String, ms: Int64) {
    #expect(durationMs(text) == ms)
  }

  @Test(arguments: [
    "", "s", "ms", "100", "1.5s", "-1s", "+1s", "1 s", " 1s", "1s ", "1S", "1sec", "1m30s", "0x1s", "1_000ms",
    "1e3ms",
    "٣s", "1us", "1w",
  ])
  func `Anything else is no duration`(text: String) {
    #expect(durationMs(text) == nil)
  }

  @Test(arguments: [
    ("0", 0), ("4096", 4_096), ("64KiB", 65_536), ("1MiB", 1_048_576), ("2GiB", 2_147_483_648),
  ])
  func `A size is digits, with a unit or plain bytes`(text: String, bytes: Int64) {
    #expect(sizeBytes(text) == bytes)
  }

  @Test(arguments: [
    "", "KiB", "1kib", "1KB", "1K", "1M", "1B", "1TiB", "1.5MiB", "-1", "+1", "1 MiB", "0x10", "1_000",
  ])
  func `Anything else is no size`(text: String) {
    #expect(sizeBytes(text) == nil)
  }

  @Test(arguments: [
    "9223372036854775808ms", "9223372036854775807s", "106751991168d", "99999999999999999999999h",
  ])
  func `A duration that does not fit is held at the largest`(text: String) {
    #expect(durationMs(text) == .max)
  }

  @Test(arguments: ["9223372036854775808", "9007199254740992KiB", "8589934592GiB", "99999999999999999999999"])
  func `A size that does not fit is held at the largest`(text: String) {
    #expect(sizeBytes(text) == .max)
  }

  @Test(arguments: ["0ms", "100ms", "1500ms", "90s", "60001ms", "15m", "25h", "1d", "3650d"])
  func `A duration is written in the largest unit that divides it`(text: String) throws {
    #expect(durationText(ms: try #require(durationMs(text))) == text)
  }

  @Test(arguments: ["0", "1023", "1025", "1KiB", "1537KiB", "256MiB", "3GiB"])
  func `A size is written in the largest unit that divides it`(text: String) throws {
    #expect(sizeText(bytes: try #require(sizeBytes(text))) == text)
  }
}
