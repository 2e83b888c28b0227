import TestSupport
import Testing

@testable import Consent

@Suite struct PendingRowsTests {
  private func text(_ row: UInt32, in rows: borrowing PendingRows) -> [UInt8] {
    var text: [UInt8] = []
    let place = UnsafeMutableRawPointer.allocate(byteCount: 2_000, alignment: 1)
    rows.copy(row) { length in
      text = [UInt8](repeating: 0, count: length)
      return place
    }
    text.withUnsafeMutableBytes { $0.copyMemory(from: UnsafeRawBufferPointer(start: place, count: $0.count)) }
    place.deallocate()
    return text
  }

  @Test func `Rows of any length come back as they were, whatever came and went between`() {
    var random = SeededRandom(seed: testSeed())
    var rows = PendingRows()
    var stored: [(row: UInt32, text: [UInt8])] = []
    for _ in 0..<2_000 {
      if !stored.isEmpty && random.oneIn(2) {
        rows.remove(stored.remove(at: Int.random(in: 0..<stored.count, using: &random)).row)
      } else {
        let length = random.pick([1, 59, 60, 61, 120, 121, Int.random(in: 1...2_000, using: &random)])
        let text = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
        stored.append((text.withUnsafeBytes { rows.store($0) }, text))
      }
      if let (row, expected) = stored.randomElement(using: &random) {
        #expect(text(row, in: rows) == expected)
      }
    }
    for (row, expected) in stored { #expect(text(row, in: rows) == expected) }
  }

  @Test func `Forgetting no row forgets none`() {
    var rows = PendingRows()
    let kept = Array("kept".utf8)
    let row = kept.withUnsafeBytes { rows.store($0) }
    rows.remove(PendingRows.none)
    #expect(text(row, in: rows) == kept)
  }
}
