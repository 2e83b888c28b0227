import Records
import TestSupport
import Testing

@testable import Consent

@Suite struct IdentityTableTests {
  @Test func `Identities of any length keep their numbers and their bytes`() {
    var random = SeededRandom(seed: testSeed())
    var table = IdentityTable(seed: random.next())
    var known: [[UInt8]: UInt32] = [:]
    for number in 0..<5_000 {
      let longest = number.isMultiple(of: 500) ? 600_000 : 40
      let text = (0..<Int.random(in: 1...longest, using: &random)).map { _ in
        UInt8.random(in: 0...255, using: &random)
      }
      let (id, isNew) = text.withUnsafeBytes { table.intern($0) }
      #expect(isNew == (known[text] == nil) && id == known[text] ?? UInt32(known.count))
      known[text] = id
    }
    #expect(table.count == known.count)
    for (text, id) in known {
      #expect(text.withUnsafeBytes { table.find($0) } == id)
      #expect(table.key(id).elementsEqual(text))
      #expect(table.text(id).isPlain == !text.contains(where: mustEscapeInJSON))
    }
  }

  @Test(arguments: [0x7FFE, 0x7FFF, 0x8000, 0xFFFF, 0x1_0000, 0x4_0000])
  func `An identity at the end of what a short length can say comes back whole`(length: Int) {
    var table = IdentityTable(seed: 1)
    let texts =
      [UInt8(ascii: "a"), UInt8(ascii: "\"")].map { [UInt8](repeating: $0, count: length) } + [[0x62]]
    for text in texts { _ = text.withUnsafeBytes { table.intern($0) } }
    for (id, text) in texts.enumerated() {
      #expect(text.withUnsafeBytes { table.find($0) } == UInt32(id))
      #expect(table.key(UInt32(id)).elementsEqual(text))
      #expect(table.text(UInt32(id)).isPlain == (id != 1))
    }
  }

  @Test func `Of very many identities each keeps its number, also when its memory comes in large pieces`() {
    var table = IdentityTable(seed: 1)
    func text(_ number: Int) -> [UInt8] {
      Array("customer.number.\(number).with.a.long.name@mail.example.com".utf8)
    }
    let count = 150_000
    for number in 0..<count { _ = text(number).withUnsafeBytes { table.intern($0) } }
    var wrong = 0
    for number in 0..<count where text(number).withUnsafeBytes({ table.find($0) }) != UInt32(number) {
      wrong += 1
    }
    #expect(wrong == 0)
    #expect(text(count).withUnsafeBytes { table.find($0) } == nil)
  }

  @Test func `What nobody can name has a number and no text`() {
    var table = IdentityTable(seed: 1)
    for _ in 0..<200 { _ = table.addAnonymous() }
    let (id, isNew) = Array("a".utf8).withUnsafeBytes { table.intern($0) }
    #expect(id == 200 && isNew)
    #expect(table.key(7).isEmpty && table.text(7).bytes.isEmpty)
  }

  @Test func `Fetching ahead finds what a look-up finds`() {
    var table = IdentityTable(seed: 3)
    let texts = (0..<1_000).map { Array("customer.\($0)@example.com".utf8) }
    for text in texts { _ = text.withUnsafeBytes { table.intern($0) } }
    for (id, text) in texts.enumerated() {
      let fetched = text.withUnsafeBytes { table.fetchKey(table.fetchSlot($0)) }
      #expect(fetched == UInt32(id))
    }
    #expect(
      Array("stranger".utf8).withUnsafeBytes { table.fetchKey(table.fetchSlot($0)) } == IdentityTable.none)
  }

  @Test func `A guess, right or wrong, changes nothing about what is found`() {
    var table = IdentityTable(seed: 5)
    let texts = ["a", "b", "b2"].map { Array($0.utf8) }
    for text in texts { _ = text.withUnsafeBytes { table.intern($0) } }
    _ = table.addAnonymous()
    for guess in [0, 1, 2, 3, 4, 1_000, IdentityTable.none] as [UInt32] {
      for (id, text) in texts.enumerated() {
        #expect(text.withUnsafeBytes { table.find($0, guess: guess) } == UInt32(id))
      }
      #expect(Array("c".utf8).withUnsafeBytes { table.find($0, guess: guess) } == nil)
    }
  }
}
