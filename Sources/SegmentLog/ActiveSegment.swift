// The segment being written: its rows, and the checksum lines that follow them at a distance.
//
// Invariant: a checksum line is written only when the rows it covers, and the segment's name, are durable.

import Storage

final class ActiveSegment {
  let baseOffset: Int
  private let data: any File
  private let sidecar: any File
  private var blocks: ChecksumBlocks
  /// The checksum file's first line, until it is written.
  private var header: String

  /// Rows begin after `blocks`; `sidecarIsNew` if the checksum file still needs its header.
  init(
    baseOffset: Int, data: any File, sidecar: any File, blocks: consuming ChecksumBlocks, sidecarIsNew: Bool
  ) {
    self.baseOffset = baseOffset
    self.data = data
    self.sidecar = sidecar
    self.blocks = blocks
    header = sidecarIsNew ? Sidecar.header + "\n" : ""
  }

  /// Creates the segment's two files, empty.
  convenience init(
    creating baseOffset: Int, _ fileSystem: any FileSystem, _ directory: String
  ) throws(StorageError) {
    self.init(
      baseOffset: baseOffset,
      data: try fileSystem.openForAppending("\(directory)/\(segmentName(baseOffset))"),
      sidecar: try fileSystem.openForAppending("\(directory)/\(sidecarName(baseOffset))"),
      blocks: ChecksumBlocks(endByte: 0, endOffset: baseOffset),
      sidecarIsNew: true)
  }

  var bytes: Int { blocks.endByte }
  var endOffset: Int { blocks.endOffset }

  func append(_ rows: UnsafeRawBufferPointer, rowCount: Int) throws(StorageError) {
    try data.append(rows)
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
    let lines = blocks.takeFinished().map { $0.text + "\n" }.joined()
    let text = Array((header + lines + (sealing ? Sidecar.sealedMark + "\n" : "")).utf8)
    guard !text.isEmpty else { return }
    header = ""
    try sidecar.append(text)
    try sidecar.syncData()
  }
}
