// A table's files from the fuzzer's pieces: two pieces are a segment and its checksum file. Checksums are put
// right where the fuzzer chooses so, because no mutation gets past one by itself.

import Storage
import TestSupport

@testable import SegmentLog

struct TableFiles {
  struct Segment {
    let baseOffset: Int
    let bytes: [UInt8]
    let sidecar: [UInt8]?
  }
  private(set) var segments: [Segment] = []
  private let linkTarget: String?

  init(_ choices: inout Choices, _ pieces: [[UInt8]]) {
    let hasGap = choices.flag()
    let leaving = choices.byte()
    let withoutSidecar = choices.byte()
    linkTarget = choices.one(of: [nil, segmentName(0), "nowhere"])
    var offset = choices.one(of: [0, 7, numberLimit - 50])
    for number in 0..<min(4, (pieces.count + 1) / 2) {
      let bytes = pieces[2 * number]
      let sidecar = 2 * number + 1 < pieces.count ? pieces[2 * number + 1] : []
      let isMissing = withoutSidecar >> UInt8(number) & 1 == 1
      let isLeft = leaving >> UInt8(number) & 1 == 1
      let rows = bytes.count { $0 == lineFeed }
      segments.append(
        Segment(
          baseOffset: offset, bytes: bytes,
          sidecar: isMissing ? nil : isLeft ? sidecar : Self.repaired(sidecar, bytes, baseOffset: offset)))
      // Another segment of the same name there cannot be.
      if rows == 0 && !hasGap { break }
      offset += hasGap ? 3 : rows
    }
  }

  /// The checksum file with blocks that end with a row, and with their right end offsets and checksums,
  /// wherever a line has an end byte in the segment.
  private static func repaired(_ sidecar: [UInt8], _ bytes: [UInt8], baseOffset: Int) -> [UInt8] {
    var start = 0
    let lines = String(decoding: sidecar, as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false)
    let repaired = lines.map { line in
      guard let byte = line.split(separator: " ").first.flatMap({ Int($0) }), start < byte,
        let end = bytes.dropFirst(byte - 1).firstIndex(of: lineFeed)
      else { return String(line) }
      defer { start = end + 1 }
      let rows = bytes[...end].count { $0 == lineFeed }
      let sum = bytes[start...end].withUnsafeBytes { checksum($0) }
      return ChecksumLine(endByte: end + 1, endOffset: baseOffset + rows, checksum: sum).text
    }
    return Array(repaired.joined(separator: "\n").utf8)
  }

  /// The offset of the first row.
  var firstOffset: Int { segments.first?.baseOffset ?? 0 }

  /// Positions between two rows of a segment, and the beginning.
  var positions: [TablePosition] {
    [.start]
      + segments.flatMap { segment in
        let ends = segment.bytes.indices.filter { segment.bytes[$0] == lineFeed }.prefix(20)
        return ends.enumerated().map { number, end in
          TablePosition(
            baseOffset: segment.baseOffset, byte: end + 1, offset: segment.baseOffset + number + 1)
        }
      }
  }

  /// Writes the files to a file system of their own.
  func write() -> MemoryFileSystem {
    let fileSystem = MemoryFileSystem()
    fileSystem.createDirectories(TableRun.directory)
    for segment in segments {
      fileSystem.write("\(TableRun.directory)/\(segmentName(segment.baseOffset))", segment.bytes)
      guard let sidecar = segment.sidecar else { continue }
      fileSystem.write("\(TableRun.directory)/\(sidecarName(segment.baseOffset))", sidecar)
    }
    if let linkTarget {
      fileSystem.link("\(TableRun.directory)/\(currentLinkName)", target: linkTarget)
    }
    return fileSystem
  }
}
