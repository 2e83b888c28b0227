// A machine's disk that exists in memory only, and keeps no more of what it is given than a real one has to.
//
// What it models, after what Storage trusts a disk with:
// - a file's bytes are durable once its sync has returned; what it is called only once `syncDirectory` of its
//   folder has, whatever was synced inside the file;
// - a process that dies leaves all that it wrote; a machine that dies takes any part of what was not durable,
//   each file and each name for itself: bytes that were written later may survive earlier ones, a file may be
//   long and hold zeros or garbage, a removed file may be back. Only a rename never loses both names;
// - after a failed sync it is unknown what is durable, and the next one, though it succeeds, does not tell;
// - a full disk takes what fits of a write, then fails it.
//
// Invariants:
// - Bytes that were synced, under a name that was synced, are there after every crash, unless a sync had failed.
// - All that is drawn at random comes from the seed, never from the order of a dictionary.

import Glibc
import Storage
import TestSupport

/// The disk and the machine it is in. One thread.
final class SimulatedDisk {
  /// How an operation that changes something fails.
  enum Fault: Equatable {
    /// The process dies before the operation.
    case crashBefore
    /// The process dies in the operation: of a write a prefix is there, anything else is done.
    case crashWithin
    /// EIO. Of a write a prefix is there; a sync leaves unknown what is durable.
    case failure
    /// EIO for a read.
    case readFailure
  }

  /// The code of the errors that a dead process gets. No file operation of a living one gives it.
  static let deadCode: CInt = ESHUTDOWN

  var random: SeededRandom
  /// How many operations that change something were begun by processes that faults may hit.
  private(set) var mutations = 0
  /// The number of a mutation, from 1 → how it fails.
  var faults: [Int: Fault] = [:]
  /// The mutations, if they are to be noted.
  var notesMutations = false
  private(set) var mutationNames: [String] = []
  /// How many reads are left before one fails with EIO.
  var readsUntilFailure: Int?
  /// The size of the disk; nil is without end.
  var capacityBytes: Int?
  private(set) var usedBytes = 0
  /// Told of each fault that strikes.
  var whenFaultStrikes: (Fault, StorageError.Operation, _ path: String) -> Void = { _, _, _ in }
  /// Called in each sync: time passes, and others work meanwhile.
  var whileSyncing: () -> Void = {}
  /// Planted bugs, for the simulation's own tests: syncs of folders, and of files with these endings, that do
  /// nothing.
  var ignoresDirectorySyncs = false
  var ignoresSyncsOf: [String] = []
  /// Who holds a lock, dead or alive.
  var lockHolders: [String: SimulatedProcess] = [:]
  /// What no gateway may do to a table: rows that were cut, replaced or removed without need.
  private(set) var violations: [String] = []
  private let root = SimulatedFolder()
  /// Folders by path, so that a path need not be walked each time.
  private var folders: [String: SimulatedFolder]
  private var unsyncedNames: [NameChange] = []

  init(seed: UInt64) {
    random = SeededRandom(seed: seed)
    folders = ["/": root]
  }

  // MARK: Operations

  /// Begins an operation that changes something. Nil: it goes well, as far as the simulation has a say in it.
  func beginMutation(_ operation: StorageError.Operation, _ path: String, of process: SimulatedProcess)
    -> Fault?
  {
    guard process.suffersFaults else { return nil }
    mutations += 1
    if notesMutations { mutationNames.append("\(mutations): \(operation.rawValue) \(path)") }
    guard let fault = faults.removeValue(forKey: mutations) else { return nil }
    whenFaultStrikes(fault, operation, path)
    return fault
  }

  func readFails(of process: SimulatedProcess, _ path: String) -> Bool {
    guard process.suffersFaults, let left = readsUntilFailure else { return false }
    readsUntilFailure = left > 0 ? left - 1 : nil
    if left == 0 { whenFaultStrikes(.readFailure, .read, path) }
    return left == 0
  }

  func blame(_ violation: String) { violations.append(violation) }

  var freeBytes: Int { capacityBytes.map { max(0, $0 - usedBytes) } ?? 1 << 40 }

  /// Room for a file that some name leads to.
  func use(_ byteCount: Int) { usedBytes += byteCount }

  // MARK: Names

  func folder(_ path: String) -> SimulatedFolder? { folders[path] }

  func node(_ path: String) -> SimulatedNode? {
    let (parent, name) = split(path)
    return folders[parent]?.entries[name]
  }

  /// The content of the file of this name, for tests to look at.
  func content(_ path: String) -> SimulatedContent? {
    if case .file(let content) = node(path) { content } else { nil }
  }

  /// Changes what names lead to: all of them or, after a machine died, none. Their folders exist.
  func change(_ edits: [(path: String, node: SimulatedNode?)]) {
    var change = NameChange()
    for (path, node) in edits {
      let (parent, name) = split(path)
      guard let folder = folders[parent] else { preconditionFailure("\(parent) is no folder") }
      change.edits.append((folder, name, node))
      if case .file(let content) = folder.entries[name] { unlink(content) }
      if case .file(let content) = node { link(content) }
      if case .folder(let folder) = node { folders[path] = folder }
      folder.entries[name] = node
    }
    unsyncedNames.append(change)
  }

  /// Makes durable which names a folder holds.
  func syncNames(of folder: SimulatedFolder) {
    if ignoresDirectorySyncs { return }
    unsyncedNames.removeAll { change in
      guard change.edits.contains(where: { $0.folder === folder }) else { return false }
      change.makeDurable()
      return true
    }
  }

  private func link(_ content: SimulatedContent) {
    content.isNamed = true
    usedBytes += content.bytes.count
  }

  private func unlink(_ content: SimulatedContent) {
    content.isNamed = false
    usedBytes -= content.bytes.count
  }

  // MARK: Death of the machine

  /// The machine dies and starts again, with any part of what was not durable.
  /// - Parameter losingAll: with none of it.
  func crash(losingAll: Bool = false) {
    keepNames(losingAll ? { _ in false } : drawSurvival())
    forEachContent { content in
      if losingAll { content.loseUnsynced() } else { content.crash(&self.random) }
    }
  }

  private func drawSurvival() -> (Int) -> Bool {
    switch Int.random(in: 0..<4, using: &random) {
    case 0: return { _ in false }
    case 1: return { _ in true }
    case 2:
      let count = Int.random(in: 0...unsyncedNames.count, using: &random)
      return { $0 < count }
    default: return { _ in self.random.oneIn(2) }
    }
  }

  private func keepNames(_ survives: (Int) -> Bool) {
    for (place, change) in unsyncedNames.enumerated() where survives(place) { change.makeDurable() }
    unsyncedNames = []
    folders = [:]
    usedBytes = 0
    restore(root, "/")
  }

  private func restore(_ folder: SimulatedFolder, _ path: String) {
    folders[path] = folder
    folder.entries = folder.durableEntries
    for (name, node) in folder.entries {
      if case .folder(let child) = node { restore(child, joined(path, name)) }
    }
  }

  private func forEachContent(_ body: (SimulatedContent) -> Void) {
    for path in folders.keys.sorted() {
      for (_, node) in folders[path]?.entries.sorted(by: { $0.key < $1.key }) ?? [] {
        guard case .file(let content) = node else { continue }
        body(content)
        link(content)
      }
    }
  }
}

/// What a name leads to.
enum SimulatedNode {
  case folder(SimulatedFolder)
  case file(SimulatedContent)
  /// A symbolic link and its text.
  case link(String)
}

/// A folder: what it holds, and what it will hold if the machine dies now.
final class SimulatedFolder {
  var entries: [String: SimulatedNode] = [:]
  var durableEntries: [String: SimulatedNode] = [:]
}

/// A change of names that is not durable yet.
private struct NameChange {
  var edits: [(folder: SimulatedFolder, name: String, node: SimulatedNode?)] = []

  func makeDurable() {
    for edit in edits { edit.folder.durableEntries[edit.name] = edit.node }
  }
}

/// The folder of an absolute path, and the name in it.
func split(_ path: String) -> (folder: String, name: String) {
  // As bytes: to look for characters takes ten times as long, and each file operation does.
  guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else {
    preconditionFailure("\(path) is not absolute")
  }
  return (slash == path.startIndex ? "/" : String(path[..<slash]), String(path[path.index(after: slash)...]))
}

private func joined(_ folder: String, _ name: String) -> String {
  folder == "/" ? "/\(name)" : "\(folder)/\(name)"
}
