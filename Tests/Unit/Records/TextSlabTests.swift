import Records
import Testing
import TestSupport

@Suite struct TextSlabTests {
  private func text(_ handle: TextHandle, in slab: borrowing TextSlab) -> [UInt8] {
    var bytes = [UInt8](repeating: 0xEE, count: Int(handle.length))
    bytes.withUnsafeMutableBytes { if let start = $0.baseAddress { slab.copy(handle, to: start) } }
    return bytes
  }

  @Test func `Texts of any length come back as they were, whatever came and went between`() {
    var random = SeededRandom(seed: testSeed())
    var slab = TextSlab()
    var stored: [(handle: TextHandle, text: [UInt8])] = []
    for _ in 0..<4000 {
      if !stored.isEmpty && random.oneIn(2) {
        let (handle, _) = stored.remove(at: Int.random(in: 0..<stored.count, using: &random))
        slab.remove(handle)
      } else {
        let length = random.pick([0, 1, 59, 60, 61, 120, 121, Int.random(in: 0...1000, using: &random)])
        let text = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
        stored.append((text.withUnsafeBytes { slab.store($0) }, text))
      }
      if let (handle, expected) = stored.randomElement(using: &random) {
        #expect(text(handle, in: slab) == expected)
      }
    }
    #expect(slab.occupiedCells == stored.reduce(0) { $0 + ($1.text.count + 59) / 60 })
    for (handle, expected) in stored { #expect(text(handle, in: slab) == expected) }
  }

  @Test func `A removed text is overwritten`() {
    var slab = TextSlab()
    let secret = Array("what a customer took back".utf8)
    let handle = secret.withUnsafeBytes { slab.store($0) }
    slab.remove(handle)
    #expect(text(handle, in: slab) == [UInt8](repeating: 0, count: secret.count))
    #expect(slab.occupiedCells == 0)
  }

  @Test func `Memory of texts that are gone is given back, and taken again`() {
    let secret = [UInt8](repeating: 7, count: 600)
    var slab = TextSlab()
    for _ in 0..<2 {
      let handles = (0..<10_000).map { _ in secret.withUnsafeBytes { slab.store($0) } }
      let full = slab.memoryBytes
      #expect(full >= 10_000 * 600 && full < 10_000 * 700)
      for handle in handles.dropFirst(100) { slab.remove(handle) }
      #expect(slab.memoryBytes < full / 40)
      for handle in handles.prefix(100) {
        #expect(text(handle, in: slab) == secret)
        slab.remove(handle)
      }
      #expect(slab.occupiedCells == 0 && slab.memoryBytes <= 64 << 10)
    }
  }
}
