// Journal files from the fuzzer's pieces: a piece is the body of a segment. Checksums are put right where the
// fuzzer chooses so, because no mutation gets past one by itself.

import Storage
import TestSupport

@testable import Journal

struct JournalFiles {
  private struct Segment {
    let basePosition: Int
    let bytes: [UInt8]
  }
  private var segments: [Segment] = []

  init(_ choices: inout Choices, _ pieces: [[UInt8]]) {
    let hasGap = choices.flag()
    let ownHeaders = choices.byte()
    let leftEntries = choices.byte()
    var position = choices.one(of: [0, 64, numberLimit / 2])
    for (number, piece) in pieces.prefix(4).enumerated() {
      var header = JournalFormat.fileHeader(position)
      var body = piece
      if ownHeaders >> UInt8(number) & 1 == 1 {
        header = Array(piece.prefix(header.count))
        body = Array(piece.dropFirst(header.count))
      }
      Self.repairEntries(&body, at: position, leaving: leftEntries)
      segments.append(Segment(basePosition: position, bytes: header + body))
      // Another segment of the same name there cannot be.
      if body.isEmpty && !hasGap { break }
      position += hasGap ? 8 : body.count
    }
  }

  /// Seals the entries at the beginning of `body`, but for each eighth that has its bit in `leaving`.
  private static func repairEntries(_ body: inout [UInt8], at position: Int, leaving: UInt8) {
    let aligned = UnsafeMutableRawBufferPointer.allocate(byteCount: body.count, alignment: 8)
    defer { aligned.deallocate() }
    aligned.copyBytes(from: body)
    var byte = 0
    var number = 0
    while let entry = aligned.baseAddress.map({ $0 + byte }), aligned.count - byte >= EntryHeader.bytes {
      let header = EntryHeader(at: entry)
      guard header.entryBytes <= aligned.count - byte else { break }
      if leaving >> UInt8(number % 8) & 1 == 0 {
        EntryHeader.seal(
          entry, count: header.entryBytes, position: position + byte,
          durablePosition: header.durablePosition & Int.max)
      }
      byte += header.entryBytes
      number += 1
    }
    body = Array(aligned)
  }

  var basePositions: [Int] { segments.map(\.basePosition) }

  /// Positions worth reading from.
  var positions: [Int] {
    [0]
      + segments.flatMap { segment in [0, 8, 40, 48, segment.bytes.count].map { segment.basePosition + $0 } }
  }

  /// Writes the files to a file system of their own.
  func write() -> MemoryFileSystem {
    let fileSystem = MemoryFileSystem()
    fileSystem.createDirectories(JournalRun.directory)
    for segment in segments {
      let name = JournalFormat.segmentName(segment.basePosition)
      fileSystem.write("\(JournalRun.directory)/\(name)", segment.bytes)
    }
    return fileSystem
  }
}
