// The segment being written: its rows, and the checksum lines that follow them at a distance. While a
// table is fed rows once more, its file reaches further than the rows so far (ActiveSegment+CatchUp.swift).
//
// Invariant: a checksum line is written only when the rows it covers, and the segment's name, are durable.

import Storage

final class ActiveSegment {
  let baseOffset: Int
  let fileSystem: any FileSystem
  let directory: String
  var data: any File
  var sidecar: any File
  var blocks: ChecksumBlocks
  /// The checksum file's first line, until it is written.
  var header: String
  /// Whether the checksum file's lines are durable. Those that another process left may not be: it may have
  /// ended before their sync, or because that failed.
  var sidecarIsSynced: Bool

  /// The file's length: that of the rows so far, and of what is still to be compared.
  var fileBytes: Int
  /// What a segment that is to be compared has besides; nil for others.
  var known: KnownSegment?

  /// Rows begin after `blocks`; `sidecarIsNew` if the checksum file still needs its header.
  init(
    baseOffset: Int, _ fileSystem: any FileSystem, _ directory: String, data: any File, sidecar: any File,
    blocks: consuming ChecksumBlocks, sidecarIsNew: Bool
  ) {
    self.baseOffset = baseOffset
    self.fileSystem = fileSystem
    self.directory = directory
    self.data = data
    self.sidecar = sidecar
    fileBytes = blocks.endByte
    self.blocks = blocks
    header = sidecarIsNew ? Sidecar.header + "\n" : ""
    sidecarIsSynced = sidecarIsNew
  }

  /// Creates the segment's two files, empty.
  convenience init(
    creating baseOffset: Int, _ fileSystem: any FileSystem, _ directory: String
  ) throws(StorageError) {
    self.init(
      baseOffset: baseOffset, fileSystem, directory,
      data: try fileSystem.openForAppending(segmentPath(directory: directory, baseOffset: baseOffset)),
      sidecar: try fileSystem.openForAppending("\(directory)/\(sidecarName(baseOffset))"),
      blocks: ChecksumBlocks(endByte: 0, endOffset: baseOffset),
      sidecarIsNew: true)
  }

  /// The length of the rows so far.
  var bytes: Int { blocks.endByte }
  var endOffset: Int { blocks.endOffset }

  func append(_ rows: UnsafeRawBufferPointer, rowCount: Int) throws(StorageError) {
    try data.append(rows)
    fileBytes += rows.count
    blocks.add(rows, rowCount: rowCount)
  }

  /// Makes the rows durable.
  func syncRows() throws(StorageError) {
    try data.syncData()
  }

  /// Ends the block here, whatever its length.
  func endBlock() {
    blocks.endBlock()
  }

  /// Writes the lines of the blocks that have ended, durably, and with `sealing` the mark of a complete
  /// segment. Only after `syncRows`, and with the names of both files durable.
  func syncChecksums(sealing: Bool = false) throws(StorageError) {
    try writeLines(blocks.takeFinished(), sealing: sealing)
    if sidecarIsSynced { return }
    try sidecar.syncData()
    sidecarIsSynced = true
  }

  /// Writes the lines of the blocks that end at or before `byte`. Only when the rows to there, and the names
  /// of both files, are durable.
  func writeChecksums(to byte: Int) throws(StorageError) {
    let lines = blocks.takeFinished(to: byte)
    if !lines.isEmpty { try writeLines(lines) }
  }

  private func writeLines(_ lines: [ChecksumLine], sealing: Bool = false) throws(StorageError) {
    let text = header + lines.map { $0.text + "\n" }.joined() + (sealing ? Sidecar.sealedMark + "\n" : "")
    if text.isEmpty { return }
    header = ""
    sidecarIsSynced = false
    try sidecar.append(Array(text.utf8))
  }
}
