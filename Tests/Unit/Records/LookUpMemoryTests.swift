import Foundation
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

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/sys/kernel/mm/transparent_hugepage")))
  func `The kernel knows that what is large wants large pages`() throws {
    let capacity = 4 << 20
    let memory = allocateForLookUps(UInt8.self, capacity: capacity)
    defer { freeForLookUps(memory, capacity: capacity) }
    let address = UInt(bitPattern: memory)
    // proc(5), smaps: a line "first-end ..." begins a mapping, "VmFlags:" ends it.
    let file = try #require(FileHandle(forReadingAtPath: "/proc/self/smaps"))
    let mappings = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self).split(separator: "\n")
    var isOurs = false
    for line in mappings {
      if let range = line.firstMatch(of: #/^([0-9a-f]+)-([0-9a-f]+) /#),
        let first = UInt(range.1, radix: 16), let end = UInt(range.2, radix: 16)
      {
        isOurs = first <= address && address < end
      } else if isOurs && line.hasPrefix("VmFlags:") {
        #expect(line.split(separator: " ").contains("hg"), "\(line)")
        return
      }
    }
    Issue.record("the memory is in no mapping")
  }
}
