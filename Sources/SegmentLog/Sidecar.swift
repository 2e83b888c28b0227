// A segment's checksum file (docs/segment-format.md). Text, so that it can be checked without stepgate:
//
//     stepgate-checksums 1
//     65712 403 9c1185a5c5e9fc54        end byte, end offset, XXH3-64 of the bytes since the line before
//     sealed
//
// Invariants: lines are appended only after the bytes they cover are on stable storage, so that a line
// never claims what a power loss can take; end byte and end offset grow from line to line.

import Storage

/// One line: a block of whole rows that ends at `endByte` of the segment, before row `endOffset`.
struct ChecksumLine: Equatable {
  let endByte: Int
  let endOffset: Int
  let checksum: UInt64

  var text: String {
    let hex = String(checksum, radix: 16)
    return "\(endByte) \(endOffset) " + String(repeating: "0", count: 16 - hex.utf8.count) + hex
  }

  init(endByte: Int, endOffset: Int, checksum: UInt64) {
    self.endByte = endByte
    self.endOffset = endOffset
    self.checksum = checksum
  }

  /// Nil unless `text` is exactly what `text` above gives, of numbers that a segment can have.
  init?(_ text: String) {
    let fields = text.split(separator: " ", omittingEmptySubsequences: false)
    guard fields.count == 3, let endByte = Int(fields[0]), let endOffset = Int(fields[1]),
      let checksum = UInt64(fields[2], radix: 16), fields[2].utf8.count == 16,
      (0...numberLimit).contains(endByte), (0...numberLimit).contains(endOffset)
    else { return nil }
    self.init(endByte: endByte, endOffset: endOffset, checksum: checksum)
    guard self.text == text else { return nil }
  }
}

/// What a checksum file says, up to the first line that its writer cannot have written.
struct Sidecar {
  static let header = "stepgate-checksums 1"
  static let sealedMark = "sealed"

  private(set) var lines: [ChecksumLine] = []
  private(set) var isSealed = false
  /// The bytes up to the end of the last good line. What follows is `fault`, or the torn end of a last write.
  private(set) var wholeBytes = 0
  /// What is wrong with the line at `wholeBytes`; nil if nothing is.
  private(set) var fault: String?
  /// The furthest byte that a line speaks of, also behind a fault: to there the segment was durable.
  private(set) var durableBytes = 0

  /// Nil if there is no such file. A fault is an error.
  static func read(
    _ fileSystem: any FileSystem, _ directory: String, baseOffset: Int
  ) throws(SegmentLogError) -> Sidecar? {
    let path = "\(directory)/\(sidecarName(baseOffset))"
    let sidecar = try storage { () throws(StorageError) in
      try readWithFault(fileSystem, directory, baseOffset: baseOffset)
    }
    if let sidecar, let fault = sidecar.fault {
      throw .corrupt(path: path, byte: sidecar.wholeBytes, what: fault)
    }
    return sidecar
  }

  /// Nil if there is no such file.
  static func readWithFault(
    _ fileSystem: any FileSystem, _ directory: String, baseOffset: Int
  ) throws(StorageError) -> Sidecar? {
    do {
      return Sidecar(
        try fileSystem.readFile("\(directory)/\(sidecarName(baseOffset))"), baseOffset: baseOffset)
    } catch {
      if error.isNotFound { return nil }
      throw error
    }
  }

  private init(_ bytes: [UInt8], baseOffset: Int) {
    var start = 0
    while let end = bytes[start...].firstIndex(of: lineFeed) {
      let line = String(decoding: bytes[start..<end], as: UTF8.self)
      start = end + 1
      if let checksums = ChecksumLine(line) { durableBytes = max(durableBytes, checksums.endByte) }
      if fault == nil { fault = add(line, baseOffset: baseOffset) }
      if fault == nil { wholeBytes = start }
    }
  }

  /// Takes the next line, or says what is wrong with it.
  private mutating func add(_ line: String, baseOffset: Int) -> String? {
    if wholeBytes == 0 { return line == Self.header ? nil : "the first line is not \(Self.header)" }
    if isSealed { return "a line follows the mark of a sealed segment" }
    if line == Self.sealedMark {
      isSealed = true
      return nil
    }
    guard let next = ChecksumLine(line) else { return "not a checksum line" }
    let (startByte, startOffset) = (lines.last?.endByte ?? 0, lines.last?.endOffset ?? baseOffset)
    guard next.endByte > startByte, next.endOffset > startOffset else {
      return "a block that ends before the one above it"
    }
    guard next.endOffset - startOffset <= next.endByte - startByte else {
      return "a block of more rows than bytes"
    }
    lines.append(next)
    return nil
  }
}
