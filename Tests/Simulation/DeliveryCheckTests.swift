import Testing

/// The check that a journal holds each message once.
@Suite struct DeliveryCheckTests {
  /// Messages are characters; those in lower case may be missing.
  private func failure(_ script: String, _ journal: String) -> SimulationCheck? {
    let messages = script.uppercased().utf8.map { [$0] }
    let check = DeliveryCheck(script: messages, isOptional: script.map { $0.isLowercase })
    return check.failure(of: journal.utf8.map { [$0] })?.check
  }

  @Test func `Each message once and in order is right`() {
    #expect(failure("ABC", "ABC") == nil)
    #expect(failure("", "") == nil)
  }

  @Test func `What may be missing may also be there`() {
    for journal in ["ABC", "AC", "BC", "C"] { #expect(failure("abC", journal) == nil) }
  }

  @Test func `A message that is missing is lost`() {
    for journal in ["", "AB", "AC", "BC"] { #expect(failure("ABC", journal) == .lost) }
  }

  @Test func `A message that comes twice or too late is found`() {
    for journal in ["AABC", "ABCC", "ACB", "ABCA", "ABX"] { #expect(failure("ABC", journal) == .twice) }
  }

  @Test func `Messages that say the same stand for one another`() {
    // The first A is missing, or the second.
    #expect(failure("aBA", "BA") == nil)
    #expect(failure("aBa", "AB") == nil)
    #expect(failure("AaA", "AA") == nil)
    #expect(failure("AaA", "AAAA") == .twice)
    #expect(failure("AaA", "A") == .lost)
  }
}
