// A checkpoint's bytes (docs/checkpoint-format.md): all that the gateway knows at one position of the journal.
//
//      0  "STEPGCKP"
//      8  UInt32  version
//     12  4 zero bytes
//     16  UInt64  position: the journal's entries below it are in the state
//     24  UInt64  content, bytes
//     32  content
//         UInt64  XXH3-64 of all before it
//
// The content: see CheckpointSections.swift.
//
// Invariant: a decoded checkpoint and the entries behind it lead to the same rows as the journal from its
// beginning.

import Pipeline
import Records
import SegmentLog
import Storage

/// A checkpoint that waits to be written: its content, and what must be on stable storage before it may count.
/// To be used again for the next one: fresh memory for a large state costs more time than copying the state.
// Filled by the engine's thread, then only read until it is written.
public final class PendingCheckpoint: @unchecked Sendable {
  public internal(set) var position = 0
  public internal(set) var tables: [Table: TablePosition] = [:]
  var content = StateEncoder()

  public init() {}
}

/// Why a checkpoint cannot be used.
public enum CheckpointError: Error, Equatable, Sendable, CustomStringConvertible {
  case storage(StorageError)
  /// The bytes are not those that were written.
  case damaged(path: String, byte: Int, what: String)
  /// A file of a later version of stepgate.
  case unsupportedVersion(path: String, version: UInt32)
  /// The same, by what is in it.
  case unknownSection(path: String, tag: UInt32)
  /// The bytes are good, but this version cannot read the settings in them.
  case unreadableSettings(path: String, UnreadableSettings)

  public var description: String {
    switch self {
    case .storage(let error): error.description
    case .damaged(let path, let byte, let what): "\(path) is damaged at byte \(byte): \(what)"
    case .unsupportedVersion(let path, let version):
      "\(path) has format version \(version); this stepgate reads versions up to \(CheckpointFormat.version)"
    case .unknownSection(let path, let tag):
      "\(path) holds the section \(CheckpointSection.name(tag)) of a later version of stepgate"
    case .unreadableSettings(let path, let what):
      "the settings in \(path) cannot be read by this version of stepgate: \(what)"
    }
  }
}

enum CheckpointFormat {
  /// What is written. Version 1 is read, too.
  static let version: UInt32 = 2

  /// The bytes of a file between its header and its checksum, and the version that says how they are laid out.
  struct Content {
    let version: UInt32
    let bytes: UnsafeRawBufferPointer
  }

  /// "STEPGCKP" as it stands in the file.
  static let magic: UInt64 = 0x504B_4347_5045_5453
  static let headerBytes = 32
  static let trailerBytes = 8
  static let suffix = ".checkpoint"

  static func name(_ position: Int) -> String { twentyDigits(position) + suffix }

  /// The position in a checkpoint's name; nil for any other file.
  static func position(ofFile name: String) -> Int? { number(inName: name, suffix: suffix) }

  static func header(position: Int, contentBytes: Int, version: UInt32 = version) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: headerBytes)
    bytes.withUnsafeMutableBytes { header in
      header.storeBytes(of: magic.littleEndian, toByteOffset: 0, as: UInt64.self)
      header.storeBytes(of: version.littleEndian, toByteOffset: 8, as: UInt32.self)
      header.storeBytes(of: UInt64(position).littleEndian, toByteOffset: 16, as: UInt64.self)
      header.storeBytes(of: UInt64(contentBytes).littleEndian, toByteOffset: 24, as: UInt64.self)
    }
    return bytes
  }

  static func trailer(_ sum: UInt64) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: trailerBytes)
    bytes.withUnsafeMutableBytes { $0.storeBytes(of: sum.littleEndian, as: UInt64.self) }
    return bytes
  }

  /// The content of a checkpoint file, once everything around it is as it should be.
  static func content(
    of file: UnsafeRawBufferPointer, path: String, position: Int
  ) throws(CheckpointError) -> Content {
    guard file.count >= headerBytes + trailerBytes else {
      throw .damaged(path: path, byte: file.count, what: "the file ends before a checkpoint could")
    }
    guard UInt64(littleEndian: file.loadUnaligned(as: UInt64.self)) == magic else {
      throw .damaged(path: path, byte: 0, what: "not a checkpoint file")
    }
    let version = UInt32(littleEndian: file.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
    guard version == 1 || version == Self.version else {
      throw .unsupportedVersion(path: path, version: version)
    }
    let contentBytes = UInt64(littleEndian: file.loadUnaligned(fromByteOffset: 24, as: UInt64.self))
    guard contentBytes == UInt64(file.count - headerBytes - trailerBytes) else {
      throw .damaged(path: path, byte: 24, what: "the length of the content is not that of the file")
    }
    let end = file.count - trailerBytes
    let sum = UInt64(littleEndian: file.loadUnaligned(fromByteOffset: end, as: UInt64.self))
    guard sum == checksum(UnsafeRawBufferPointer(rebasing: file[..<end])) else {
      throw .damaged(path: path, byte: end, what: "the checksum does not match")
    }
    let written = UInt64(littleEndian: file.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
    guard written == UInt64(position) else {
      throw .damaged(path: path, byte: 16, what: "the position is not that of the file's name")
    }
    return Content(version: version, bytes: UnsafeRawBufferPointer(rebasing: file[headerBytes..<end]))
  }
}
