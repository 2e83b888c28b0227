import Storage
import Testing

@Suite struct NumberedNamesTests {
  @Test func `Names have the order of their numbers, and give them back`() {
    let numbers = [0, 7, 10, 999, 4_611_686_018_427_387_904, Int.max]
    let names = numbers.map { twentyDigits($0) + ".ndjson" }
    #expect(names == names.sorted())
    #expect(names.map { number(inName: $0, suffix: ".ndjson") } == numbers)
    #expect(names[1] == "00000000000000000007.ndjson")
  }

  @Test(arguments: [
    "current.ndjson", "7.ndjson", "0000000000000000000x.ndjson", "-0000000000000000007.ndjson",
    "000000000000000000007.ndjson", "00000000000000000007.ndjson.gz", ".00000000000000000007.ndjson",
    "99999999999999999999.ndjson", "",
  ])
  func `Any other name has no number`(name: String) {
    #expect(number(inName: name, suffix: ".ndjson") == nil)
  }
}
