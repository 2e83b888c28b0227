// A file of the simulated disk that a process has open.
//
// Invariant: what is done here is done to the content at once; only the content knows what is durable.

import Glibc
import Storage

/// A file that a process has open.
final class SimulatedFile: File {
  let path: String
  private let content: SimulatedContent
  private let process: SimulatedProcess
  private var disk: SimulatedDisk { process.disk }

  init(path: String, content: SimulatedContent, process: SimulatedProcess) {
    self.path = path
    self.content = content
    self.process = process
  }

  private func error(_ operation: StorageError.Operation, _ offset: Int, _ code: CInt) -> StorageError {
    StorageError(operation: operation, path: path, offset: offset, code: code)
  }

  private func begin(_ operation: StorageError.Operation) throws(StorageError) -> SimulatedDisk.Fault? {
    try process.requireAlive(operation, path)
    let fault = disk.beginMutation(operation, path, of: process)
    if fault == .crashBefore { try die(operation) }
    return fault
  }

  private func die(_ operation: StorageError.Operation) throws(StorageError) {
    process.kill()
    try process.requireAlive(operation, path)
  }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(StorageError) -> Int {
    try process.requireAlive(.read, path)
    if disk.readFails(of: process, path) { throw error(.read, offset, EIO) }
    guard offset < content.bytes.count else { return 0 }
    let count = min(buffer.count, content.bytes.count - offset)
    content.bytes.withUnsafeBytes { buffer.copyMemory(from: .init(rebasing: $0[offset..<offset + count])) }
    return count
  }

  func append(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    let fault = try begin(.write)
    let room = disk.freeBytes
    var count = min(bytes.count, room)
    if fault != nil { count = Int.random(in: 0...count, using: &disk.random) }
    content.append(bytes[..<count])
    if content.isNamed { disk.use(count) }
    if fault == .crashWithin { try die(.write) }
    if fault == .failure { throw error(.write, content.bytes.count, EIO) }
    if count < bytes.count { throw error(.write, content.bytes.count, ENOSPC) }
  }

  func size() throws(StorageError) -> Int {
    try process.requireAlive(.size, path)
    return content.bytes.count
  }

  func truncate(to size: Int) throws(StorageError) {
    let fault = try begin(.truncate)
    if fault == .failure { throw error(.truncate, size, EIO) }
    let cut = content.bytes.count - size
    let wasNeeded = content.truncate(to: size)
    if content.isNamed { disk.use(-cut) }
    if !wasNeeded && path.hasSuffix(".ndjson") { disk.blame("\(path) was cut by \(cut) bytes to \(size)") }
    if fault == .crashWithin { try die(.truncate) }
  }

  // A known limit (docs/durability.md): what the kernel takes for written in a table, though the disk failed to, no
  // later sync writes. The journal and the checkpoints are made so that it does not matter.
  private var isOfATable: Bool { path.contains(".ndjson") || path.hasSuffix(".checksums") }

  func syncData() throws(StorageError) { try sync() }

  func sync() throws(StorageError) {
    let fault = try begin(.sync)
    disk.whileSyncing()
    // Another of its threads may have met its death meanwhile.
    try process.requireAlive(.sync, path)
    if fault == .failure {
      content.failToSync(&disk.random, forgetting: !isOfATable)
      throw error(.sync, content.bytes.count, EIO)
    }
    if !disk.ignoresSyncsOf.contains(where: { path.hasSuffix($0) }) { content.sync() }
    if fault == .crashWithin { try die(.sync) }
  }
}
