// The folder of checkpoints: written so that a crash leaves the old ones or the new one, whole.
//
// Invariants:
// - A checkpoint has its name only when its bytes, and all rows below its tables' positions, are on stable
//   storage.
// - The going of a checkpoint is durable before that of the journal behind it.
// - The two newest are kept. The journal is kept from the older one's position on, so that a damaged newest one
//   costs nothing but time; with a single checkpoint it is kept from the beginning.

import Journal
import Pipeline
import Records
import SegmentLog
import Storage
import Threads

/// Writes and finds checkpoints.
public struct CheckpointStore: Sendable {
  static let kept = 2
  private static let pieceBytes = 2 << 20

  private let fileSystem: any FileSystem
  private let dataDirectory: String
  /// A step is a table or a piece of a checkpoint that goes to the disk.
  public let pulse = Pulse()

  /// - Parameter dataDirectory: `storage.directory`.
  public init(fileSystem: any FileSystem, dataDirectory: String) {
    self.fileSystem = fileSystem
    self.dataDirectory = dataDirectory
  }

  /// The folder.
  public var directory: String { DataFolder(dataDirectory).checkpoints }
  var journalDirectory: String { DataFolder(dataDirectory).journal }

  func path(_ position: Int) -> String { "\(directory)/\(CheckpointFormat.name(position))" }

  // MARK: Writing

  /// Makes the rows durable that the checkpoint counts on, writes it, and removes what is needed no longer:
  /// older checkpoints, and the journal's segments below the oldest that is kept.
  public func write(_ checkpoint: PendingCheckpoint) throws(StorageError) {
    defer { pulse.rests() }
    for table in Table.allCases {
      pulse.works()
      if let position = checkpoint.tables[table] { try syncRows(of: table, at: position) }
    }
    try fileSystem.createPrivateDirectory(directory)
    try writeFile(checkpoint)
    try removeOld()
  }

  // By name: the engine's thread goes on writing to the files meanwhile. A segment that was rolled since is
  // durable already.
  private func syncRows(of table: Table, at position: TablePosition) throws(StorageError) {
    let folder = table.directory(in: dataDirectory)
    try fileSystem.openForReading(segmentPath(directory: folder, baseOffset: position.baseOffset)).syncData()
    try fileSystem.syncDirectory(folder)
  }

  private func writeFile(_ checkpoint: PendingCheckpoint) throws(StorageError) {
    let temporary = "\(directory)/.new"
    let header = CheckpointFormat.header(
      position: checkpoint.position, contentBytes: checkpoint.content.bytes.count)
    var sum = RunningChecksum()
    header.withUnsafeBytes { sum.update($0) }
    sum.update(checkpoint.content.bytes)
    let file = try fileSystem.openForAppending(temporary)
    try file.truncate(to: 0)
    try file.append(header)
    try appendGently(checkpoint.content.bytes, to: file)
    try file.append(CheckpointFormat.trailer(sum.finish()))
    try file.sync()
    try fileSystem.rename(temporary, to: path(checkpoint.position))
    try fileSystem.syncDirectory(directory)
  }

  // A file system may make the journal's next sync wait for all that is on its way to the disk (ext4 does, for new
  // blocks), so there is never much of it.
  private func appendGently(_ bytes: UnsafeRawBufferPointer, to file: any File) throws(StorageError) {
    for start in stride(from: 0, to: bytes.count, by: Self.pieceBytes) {
      pulse.works()
      let end = min(bytes.count, start + Self.pieceBytes)
      try file.append(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
      if end < bytes.count { try file.syncData() }
    }
  }

  private func removeOld() throws(StorageError) {
    let positions = try positions()
    guard positions.count >= Self.kept else { return }
    let keptPositions = positions.suffix(Self.kept)
    let old = positions.dropLast(Self.kept)
    for position in old { try fileSystem.remove(path(position)) }
    // Else a power loss could bring back a checkpoint whose journal is gone.
    if !old.isEmpty { try fileSystem.syncDirectory(directory) }
    if let oldest = keptPositions.first {
      _ = try trimJournal(fileSystem: fileSystem, directory: journalDirectory, before: oldest)
    }
  }

  // MARK: Reading

  /// The positions of the checkpoints that are there, ascending, good or not.
  public func positions() throws(StorageError) -> [Int] {
    do {
      return try fileSystem.list(directory).compactMap(CheckpointFormat.position(ofFile:)).sorted()
    } catch {
      if error.isNotFound { return [] }
      throw error
    }
  }

  /// Reads the checkpoint at a position and gives its content to `body`, which may refuse it with `damaged`.
  func read<Result>(
    _ position: Int, _ body: (CheckpointFormat.Content) throws(CheckpointError) -> Result
  ) throws(CheckpointError) -> Result {
    let path = path(position)
    let bytes: [UInt8]
    do throws(StorageError) { bytes = try fileSystem.readFile(path) } catch { throw .storage(error) }
    return try bytes.span.bytes.withUnsafeBytes { file throws(CheckpointError) in
      try body(try CheckpointFormat.content(of: file, path: path, position: position))
    }
  }

  /// Takes a bad checkpoint out of the way and keeps it for whoever wants to know.
  func setAside(_ position: Int) throws(StorageError) -> String {
    let path = path(position)
    let aside = path + ".damaged"
    try fileSystem.rename(path, to: aside)
    try fileSystem.syncDirectory(directory)
    return aside
  }
}
