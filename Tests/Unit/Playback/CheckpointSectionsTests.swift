import Records
import Testing
import TestSupport

@testable import Playback

/// The sections of a checkpoint's content, and contents that are not as they were written.
@Suite struct CheckpointSectionsTests {
  private struct Section: Equatable {
    var tag: String
    var bytes: [UInt8]
  }

  private let fixture: RecoveryFixture
  private let sections: [Section]

  init() throws {
    fixture = try RecoveryFixture()
    let recovered = try #require(try fixture.start())
    try fixture.take(recovered, RecoveryFixture.messages(0..<20))
    let checkpoint = recovered.player.checkpoint(remembering: recovered.redeliveries)
    sections = withExtendedLifetime(checkpoint) { Self.sections(of: Array(checkpoint.content.bytes)) }
  }

  private static func sections(of bytes: [UInt8]) -> [Section] {
    var sections: [Section] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      let tag = String(decoding: rest.prefix(4), as: UTF8.self)
      let count = rest.dropFirst(4).prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
      sections.append(Section(tag: tag, bytes: Array(rest.dropFirst(12).prefix(count))))
      rest = rest.dropFirst(12 + count)
    }
    return sections
  }

  private func bytes(_ sections: [Section]) -> [UInt8] {
    var encoder = StateEncoder()
    for section in sections {
      let tag = section.tag.utf8.reversed().reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
      encoder.append(section: tag) { encoder in for byte in section.bytes { encoder.append(byte) } }
    }
    return Array(encoder.bytes)
  }

  private func decoded(_ bytes: [UInt8], version: UInt32 = CheckpointFormat.version) throws
    -> CheckpointContent
  {
    try bytes.withUnsafeBytes { bytes in
      try CheckpointContent(
        CheckpointFormat.Content(version: version, bytes: bytes), path: "p",
        initial: fixture.settings(toleranceMs: 100), readSettings: noSettings)
    }
  }

  private func error(_ sections: [Section]) -> String? {
    do { _ = try decoded(bytes(sections)) } catch { return "\(error)" }
    return nil
  }

  @Test func `They are these, in this order, each with its length`() throws {
    #expect(sections.map(\.tag) == ["SETT", "CLCK", "TABL", "VERD", "CONS", "JOIN", "REDL"])
    #expect(sections[0].bytes == [0, 0, 0, 0])
    #expect(sections.allSatisfy { !$0.bytes.isEmpty })
    #expect(error(sections) == nil)
  }

  @Test func `Without tags and lengths they are a checkpoint of version 1`() throws {
    let old = sections.flatMap(\.bytes)
    let content = try decoded(old, version: 1)
    #expect(content.redeliveries.lastContactMs == (try decoded(bytes(sections))).redeliveries.lastContactMs)
    #expect(throws: CheckpointError.self) { try decoded(old) }
    #expect(throws: CheckpointError.self) { try decoded(old + [0], version: 1) }
    #expect(throws: CheckpointError.self) { try decoded(bytes(sections), version: 1) }
  }

  @Test func `In a file they may stand in any order`() {
    #expect(error(sections.reversed()) == nil)
  }

  @Test func `One that is missing, there twice or cut off is damage`() {
    for place in sections.indices {
      var without = sections
      without.remove(at: place)
      #expect(error(without)?.hasSuffix("a section is missing") == true)
      #expect(error(sections + [sections[place]])?.hasSuffix("a section twice") == true)
      var longer = sections
      longer[place].bytes.append(0)
      #expect(error(longer)?.contains("p is damaged at byte") == true)
      var shorter = sections
      shorter[place].bytes.removeLast()
      #expect(error(shorter)?.contains("p is damaged at byte") == true)
    }
    for end in 1..<40 {
      #expect(throws: CheckpointError.self) { try decoded(Array(bytes(sections).dropLast(end))) }
    }
  }

  @Test func `One of a later version is refused, and no damage`() {
    let later = sections + [Section(tag: "OWNR", bytes: [1, 2, 3])]
    #expect(error(later) == "p holds the section OWNR of a later version of stepgate")
  }
}
