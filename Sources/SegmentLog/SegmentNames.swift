// Which file is what in a table's folder:
//
//     00000000000000000000.ndjson       a segment, named by the offset of its first row
//     .00000000000000000000.checksums   its checksums; the dot hides it from globs and lake engines
//     current.ndjson                    a link to the segment being written
//     .00000000000000000000.ndjson.tmp  the good bytes of a damaged segment that is being replaced
//     .00000000000000000000.ndjson.damaged, .00000000000000000000.checksums.damaged, and with .1, .2 ...
//                                       damaged files that were replaced; hidden, for they are no rows

import Storage

/// The link to the active segment.
let currentLinkName = "current.ndjson"

private let segmentSuffix = ".ndjson"
let sidecarSuffix = ".checksums"
private let replacementSuffix = ".ndjson.tmp"

func segmentName(_ baseOffset: Int) -> String { twentyDigits(baseOffset) + segmentSuffix }

func sidecarName(_ baseOffset: Int) -> String { "." + twentyDigits(baseOffset) + sidecarSuffix }

func replacementName(_ baseOffset: Int) -> String { "." + twentyDigits(baseOffset) + replacementSuffix }

/// The path of the segment that begins with the row `baseOffset`, in the table's folder `directory`.
public func segmentPath(directory: String, baseOffset: Int) -> String {
  "\(directory)/\(segmentName(baseOffset))"
}

/// The base offset in a segment's name; nil for any other file.
func baseOffset(ofSegment name: String) -> Int? {
  number(inName: name, suffix: segmentSuffix)
}

/// The base offset in a checksum file's name; nil for any other file.
func baseOffset(ofSidecar name: String) -> Int? {
  number(inName: name, prefix: ".", suffix: sidecarSuffix)
}

/// The base offset in a replacement's name; nil for any other file.
func baseOffset(ofReplacement name: String) -> Int? {
  number(inName: name, prefix: ".", suffix: replacementSuffix)
}

/// Whether a checksum file was being replaced under this name (`FileSystem.writeFileAtomically`).
func isTemporarySidecar(_ name: String) -> Bool {
  number(inName: name, prefix: "..", suffix: sidecarSuffix + ".tmp") != nil
}

/// The name for the damaged file `name` of a folder that holds `names`: one that is not taken.
func damagedName(_ name: String, among names: [String]) -> String {
  let first = (name.hasPrefix(".") ? name : "." + name) + ".damaged"
  var candidate = first
  var number = 1
  while names.contains(candidate) {
    candidate = "\(first).\(number)"
    number += 1
  }
  return candidate
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
