import Storage
import Testing

@Suite struct ChecksumTests {
  @Test func `Checksums are those of XXH3, so that other tools find the same`() {
    // XXH3-64 of nothing, as xxHash's own C interface gives it.
    #expect(sum("") == 0x2D06_8005_38D3_94C2)
    #expect(sum("stepgate") != sum("stepgatf"))
  }

  @Test func `The seed changes the checksum`() {
    #expect(sum("row", seed: 1) != sum("row", seed: 2))
  }

  @Test(arguments: [1, 7, 64, 1000, 4096])
  func `Pieces have the checksum of the whole`(pieceBytes: Int) {
    let bytes = (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    var running = RunningChecksum()
    var start = 0
    while start < bytes.count {
      let end = min(start + pieceBytes, bytes.count)
      bytes[start..<end].withUnsafeBytes { running.update($0) }
      start = end
    }
    let whole = bytes.withUnsafeBytes { checksum($0) }
    #expect(running.finish() == whole)
    bytes.withUnsafeBytes { running.update($0) }
    #expect(running.finish() == whole, "it begins anew after it has finished")
  }

  private func sum(_ text: String, seed: UInt64 = 0) -> UInt64 {
    Array(text.utf8).withUnsafeBytes { checksum($0, seed: seed) }
  }
}
