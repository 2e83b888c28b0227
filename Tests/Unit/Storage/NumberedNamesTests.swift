import Storage
import Testing

@Suite struct NumberedNamesTests {
  @Test func `Names have the order of their numbers, and give them back`() {
    let numbers = [0, 7, 10, 999, 36_028_797_018_963_968, numberLimit]
    let names = numbers.map { twentyDigits($0) + ".ndjson" }
    #expect(names == names.sorted())
    #expect(names.map { number(inName: $0, suffix: ".ndjson") } == numbers)
    #expect(names[1] == "00000000000000000007.ndjson")
  }

  @Test(arguments: [
    "current.ndjson", "7.ndjson", "0000000000000000000x.ndjson", "-0000000000000000007.ndjson",
    "000000000000000000007.ndjson", "00000000000000000007.ndjson.gz", ".00000000000000000007.ndjson",
    "99999999999999999999.ndjson", "09223372036854775807.ndjson", "00072057594037927937.ndjson", "",
  ])
  func `Any other name has no number`(name: String) {
    #expect(number(inName: name, suffix: ".ndjson") == nil)
  }
}
