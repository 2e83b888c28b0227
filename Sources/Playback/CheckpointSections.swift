// A checkpoint's content: sections, one after the other. Each part of the state is encoded where it is at home; this is
// the one list of them.
//
//     section   tag, four ASCII characters; UInt64 number of bytes; bytes
//
// Invariants:
// - Sections are written and read in the order of the list, each once: one is checked against those before it.
// - A tag never stands for anything else. What changes in a section gets a new tag.
// - A file without a section that came later is good: that part of the state then begins. A file with one that is
//   not in the list is a later version's, and refused: there is no telling what it would have changed.
// - Files of version 1 hold the first sections of the list, without tags and lengths.

import Pipeline
import Records

struct CheckpointSection: Sendable {
  let tag: UInt32
  /// Whether all files have it.
  let isAlwaysThere: Bool
  let encode: @Sendable (EntryPlayer, RedeliveryFilter, inout StateEncoder) -> Void
  /// - Throws: `StateError`, and the settings `UnreadableSettings`.
  let decode: @Sendable (inout CheckpointContent, inout StateDecoder) throws -> Void

  init(
    _ tag: StaticString, isAlwaysThere: Bool = true,
    encode: @escaping @Sendable (EntryPlayer, RedeliveryFilter, inout StateEncoder) -> Void,
    decode: @escaping @Sendable (inout CheckpointContent, inout StateDecoder) throws -> Void
  ) {
    precondition(tag.utf8CodeUnitCount == 4, "a tag has four characters")
    self.tag = UInt32(littleEndian: UnsafeRawPointer(tag.utf8Start).loadUnaligned(as: UInt32.self))
    self.isAlwaysThere = isAlwaysThere
    self.encode = encode
    self.decode = decode
  }

  static func name(_ tag: UInt32) -> String {
    withUnsafeBytes(of: tag.littleEndian) { String(decoding: $0, as: UTF8.self) }
  }

  static let all = [
    CheckpointSection("SETT") { player, _, encoder in
      player.settingsText.withUnsafeBytes { encoder.append(text: $0) }
    } decode: { content, decoder in
      try content.takeSettings(try decoder.readText())
    },
    CheckpointSection("CLCK") {
      $0.engine.encodeClock(into: &$2)
    } decode: {
      try $0.engine.decodeClock(&$1)
    },
    CheckpointSection("TABL") {
      $0.engine.encodePositions(into: &$2)
    } decode: {
      try $0.engine.decodePositions(&$1)
    },
    CheckpointSection("VERD") {
      $0.engine.encodeCounts(into: &$2)
    } decode: {
      try $0.engine.decodeCounts(&$1)
    },
    CheckpointSection("CONS") {
      $0.engine.encodeConsent(into: &$2)
    } decode: {
      try $0.engine.decodeConsent(&$1)
    },
    CheckpointSection("JOIN") {
      $0.engine.encodeJoin(into: &$2)
    } decode: {
      try $0.engine.decodeJoin(&$1)
    },
    CheckpointSection("REDL") {
      $1.encode(into: &$2)
    } decode: {
      $0.redeliveries = try RedeliveryFilter(decoding: &$1)
    },
  ]

  /// How many of them files of version 1 hold.
  static let countInVersion1 = 7
}

extension EntryPlayer {
  /// All that is known at `position`, as a checkpoint.
  /// - Parameters:
  ///   - redeliveries: remembers the journal's messages up to `position`.
  ///   - checkpoint: what it held before is replaced.
  @discardableResult
  public func checkpoint(
    remembering redeliveries: RedeliveryFilter, into checkpoint: PendingCheckpoint = PendingCheckpoint()
  ) -> PendingCheckpoint {
    checkpoint.position = position
    checkpoint.tables = engine.tables.positions
    checkpoint.content.reset()
    for section in CheckpointSection.all {
      checkpoint.content.append(section: section.tag) { section.encode(self, redeliveries, &$0) }
    }
    return checkpoint
  }
}
