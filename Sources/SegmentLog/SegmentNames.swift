// Which file is what in a table's folder:
//
//     00000000000000000000.ndjson       a segment, named by the offset of its first row
//     .00000000000000000000.checksums   its checksums; the dot hides it from globs and lake engines
//     current.ndjson                    a link to the segment being written

import Storage

/// The link to the active segment.
let currentLinkName = "current.ndjson"

private let digits = 20
private let segmentSuffix = ".ndjson"
private let sidecarSuffix = ".checksums"

func segmentName(_ baseOffset: Int) -> String { padded(baseOffset) + segmentSuffix }

func sidecarName(_ baseOffset: Int) -> String { "." + padded(baseOffset) + sidecarSuffix }

/// The base offset in a segment's name; nil for any other file.
func baseOffset(ofSegment name: String) -> Int? {
  guard name.hasSuffix(segmentSuffix) else { return nil }
  return number(name.dropLast(segmentSuffix.utf8.count))
}

/// The base offset in a checksum file's name; nil for any other file.
func baseOffset(ofSidecar name: String) -> Int? {
  guard name.hasPrefix("."), name.hasSuffix(sidecarSuffix) else { return nil }
  return number(name.dropFirst().dropLast(sidecarSuffix.utf8.count))
}

/// The base offsets of a table's segments, ascending; none if the folder does not exist.
func segmentBaseOffsets(
  _ fileSystem: any FileSystem, _ directory: String
) throws(StorageError) -> [Int] {
  do {
    return try fileSystem.list(directory).compactMap(baseOffset(ofSegment:)).sorted()
  } catch {
    if error.isNotFound { return [] }
    throw error
  }
}

private func padded(_ offset: Int) -> String {
  let text = String(offset)
  return String(repeating: "0", count: digits - text.utf8.count) + text
}

private func number(_ text: Substring) -> Int? {
  guard text.utf8.count == digits, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
  return Int(text)
}
