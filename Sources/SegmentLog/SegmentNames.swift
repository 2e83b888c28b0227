// Which file is what in a table's folder:
//
//     00000000000000000000.ndjson       a segment, named by the offset of its first row
//     .00000000000000000000.checksums   its checksums; the dot hides it from globs and lake engines
//     current.ndjson                    a link to the segment being written

import Storage

/// The link to the active segment.
let currentLinkName = "current.ndjson"

private let segmentSuffix = ".ndjson"
private let sidecarSuffix = ".checksums"

func segmentName(_ baseOffset: Int) -> String { twentyDigits(baseOffset) + segmentSuffix }

func sidecarName(_ baseOffset: Int) -> String { "." + twentyDigits(baseOffset) + sidecarSuffix }

/// The base offset in a segment's name; nil for any other file.
func baseOffset(ofSegment name: String) -> Int? {
  number(inName: name, suffix: segmentSuffix)
}

/// The base offset in a checksum file's name; nil for any other file.
func baseOffset(ofSidecar name: String) -> Int? {
  number(inName: name, prefix: ".", suffix: sidecarSuffix)
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
