import Records
import Testing

@Suite struct LookUpMemoryTests {
  @Test(arguments: [1, 4_095, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3_000_001])
  func `Memory of any size holds what is written, from its first element to its last`(capacity: Int) {
    let memory = allocateForLookUps(UInt32.self, capacity: capacity)
    for place in 0..<capacity { (memory + place).initialize(to: UInt32(place) &* 7) }
    var wrong = 0
    for place in 0..<capacity where memory[place] != UInt32(place) &* 7 { wrong += 1 }
    #expect(wrong == 0)
    freeForLookUps(memory, capacity: capacity)
  }

  @Test func `What is large begins where a large page can`() {
    let capacity = 4 << 20
    let memory = allocateForLookUps(UInt8.self, capacity: capacity)
    #expect(Int(bitPattern: memory).isMultiple(of: 2 << 20))
    freeForLookUps(memory, capacity: capacity)
  }
}
