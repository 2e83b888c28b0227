// The journal's bytes (docs/journal-format.md), little-endian, version 1.
//
// A position is a byte in the journal: the entries of all segments one after the other, without the file
// headers. It is a multiple of 8, and never used twice. A segment is named by the position of its first
// entry; the entry at position p begins at byte 32 + p - base of its file.

import Storage

/// What an entry is. The raw values are on disk.
public enum JournalEntryKind: UInt8, CaseIterable, Sendable {
  /// An MQTT message: its topic and payload.
  case message = 1
  /// Records from a customers file: its path as the topic, newline-delimited JSON as the payload.
  case customerFile = 2
  /// The settings that change results, from here on, as JSON text.
  case settings = 3
  /// The beginning of a session with the broker: when the session before was last known to exist as the
  /// payload, Int64 in milliseconds since 1970-01-01 UTC; an empty one for the first session.
  case sessionGap = 4
}

enum JournalFormat {
  static let version: UInt32 = 1
  /// "STEPGJNL" as it stands in the file.
  static let magic: UInt64 = 0x4C4E_4A47_5045_5453
  static let fileHeaderBytes = 32
  static let alignment = 8
  static let suffix = ".journal"

  static func segmentName(_ basePosition: Int) -> String { twentyDigits(basePosition) + suffix }

  /// The base position in a segment's name; nil for any other file.
  static func basePosition(ofSegment name: String) -> Int? { number(inName: name, suffix: suffix) }

  /// Whether a journal's writer makes files of this name: segments, and what `writeFileAtomically` makes beside them.
  static func isOwnName(_ name: String) -> Bool {
    number(inName: name, suffix: suffix) != nil
      || number(inName: name, prefix: ".", suffix: suffix + ".tmp") != nil
  }

  /// The base positions of a journal's segments, ascending; none if there is no such folder.
  static func segments(
    _ fileSystem: any FileSystem, _ directory: String
  ) throws(StorageError) -> [Int] {
    do {
      return try fileSystem.list(directory).compactMap(basePosition(ofSegment:)).sorted()
    } catch {
      if error.isNotFound { return [] }
      throw error
    }
  }

  /// The header of the segment that begins with `basePosition`: magic, version, 4 zero bytes, base
  /// position, and the XXH3-64 of these 24 bytes.
  static func fileHeader(_ basePosition: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: fileHeaderBytes)
    bytes.withUnsafeMutableBytes { header in
      header.storeBytes(of: magic.littleEndian, toByteOffset: 0, as: UInt64.self)
      header.storeBytes(of: version.littleEndian, toByteOffset: 8, as: UInt32.self)
      header.storeBytes(of: UInt64(basePosition).littleEndian, toByteOffset: 16, as: UInt64.self)
      let sum = checksum(UnsafeRawBufferPointer(rebasing: header[..<24]))
      header.storeBytes(of: sum.littleEndian, toByteOffset: 24, as: UInt64.self)
    }
    return bytes
  }
}

/// What a file's first bytes are.
enum FileHeaderState: Equatable {
  case good
  case bad
  case otherVersion(UInt32)

  init(_ bytes: UnsafeRawBufferPointer, basePosition: Int) {
    self = .bad
    guard bytes.count >= JournalFormat.fileHeaderBytes else { return }
    let sum = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self))
    guard sum == checksum(UnsafeRawBufferPointer(rebasing: bytes[..<24])),
      UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self)) == JournalFormat.magic
    else { return }
    let version = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
    guard version == JournalFormat.version else {
      self = .otherVersion(version)
      return
    }
    let base = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
    if base == UInt64(basePosition) { self = .good }
  }
}
