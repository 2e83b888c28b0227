// Damaged files are never deleted or overwritten: they get a hidden name, under which neither readers nor
// lake engines take them for rows, and a file with the good bytes takes their place.
//
// Replacing a segment takes three steps, each durable before the next begins:
//
//     1  the good bytes are copied to the replacement .<base>.ndjson.tmp
//     2  the damaged segment gets its hidden name
//     3  the replacement gets the segment's name
//
// A stop before 2 leaves the damaged segment in place: the replacement, whole or not, is removed at the next
// start, and the damage found once more. A stop between 2 and 3 leaves a whole replacement without a segment:
// it gets its name at the next start. The checksum file follows after 3. A stop before that leaves one that
// says more than the segment holds, which is set aside for that reason when the segment is opened. A stop
// between setting it aside and its successor leaves none: the lines are made anew from the segment.

import Glibc
import Storage

/// Gives the damaged file `name` a hidden name, durably: else the machine could lose this renaming and keep
/// that of its successor, and the damaged file would be gone. Returns its new path.
func setAside(
  _ name: String, _ fileSystem: any FileSystem, _ directory: String
) throws(StorageError) -> String {
  let newPath = "\(directory)/\(damagedName(name, among: try fileSystem.list(directory)))"
  try fileSystem.rename("\(directory)/\(name)", to: newPath)
  try fileSystem.syncDirectory(directory)
  return newPath
}

/// Sets a segment aside, and puts a copy of its first `count` bytes in its place, durably.
/// - Returns: the new path of the damaged file.
func replaceSegment(
  _ baseOffset: Int, keepingTo count: Int, _ damaged: any File, _ fileSystem: any FileSystem,
  _ directory: String
) throws(StorageError) -> String {
  let replacement = "\(directory)/\(replacementName(baseOffset))"
  try copy(count, of: damaged, to: try fileSystem.openForAppending(replacement))
  try fileSystem.syncDirectory(directory)
  let newPath = try setAside(segmentName(baseOffset), fileSystem, directory)
  try fileSystem.rename(replacement, to: segmentPath(directory: directory, baseOffset: baseOffset))
  try fileSystem.syncDirectory(directory)
  return newPath
}

/// Ends what `replaceSegment` was stopped in, and removes what a stop may have left half written. `names` are
/// those in the folder.
/// - Returns: whether names have changed.
func finishReplacements(
  _ names: [String], _ fileSystem: any FileSystem, _ directory: String
) throws(StorageError) -> Bool {
  var hasChanged = false
  for name in names {
    let path = "\(directory)/\(name)"
    if let base = baseOffset(ofReplacement: name) {
      let isSetAside = names.contains { $0.hasPrefix(damagedName(segmentName(base), among: [])) }
      if isSetAside && !names.contains(segmentName(base)) {
        try fileSystem.rename(path, to: segmentPath(directory: directory, baseOffset: base))
      } else {
        try fileSystem.remove(path)
      }
    } else if isTemporarySidecar(name) {
      try fileSystem.remove(path)
    } else {
      continue
    }
    hasChanged = true
  }
  if hasChanged { try fileSystem.syncDirectory(directory) }
  return hasChanged
}

private func copy(_ count: Int, of file: any File, to target: any File) throws(StorageError) {
  let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 16)
  defer { buffer.deallocate() }
  try target.truncate(to: 0)
  var byte = 0
  while byte < count {
    let wanted = UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(count - byte))
    let read = try file.read(into: wanted, at: byte)
    // It was longer a moment ago.
    guard read > 0 else { throw StorageError(operation: .read, path: file.path, offset: byte, code: EIO) }
    try target.append(UnsafeRawBufferPointer(wanted).first(read))
    byte += read
  }
  try target.sync()
}
