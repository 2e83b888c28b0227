import Glibc
import Storage

/// A folder of its own for one test, removed with its last reference.
final class ScratchFolder {
  let path: String

  init() throws {
    var template = Array("/tmp/stepgate-test-XXXXXX".utf8CString)
    let made = template.withUnsafeMutableBufferPointer { mkdtemp($0.baseAddress!) != nil }
    guard made else {
      throw StorageError(operation: .createDirectory, path: "/tmp/stepgate-test-XXXXXX", code: errno)
    }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { Self.removeAll(path) }

  func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

  private static func removeAll(_ path: String) {
    let fileSystem = LocalFileSystem()
    for name in (try? fileSystem.list(path)) ?? [] {
      let child = "\(path)/\(name)"
      if (try? fileSystem.remove(child)) == nil { removeAll(child) }
    }
    rmdir(path)
  }
}

/// Shorthands for tests.
extension FileSystem {
  func text(_ path: String) throws -> String { String(decoding: try readFile(path), as: UTF8.self) }

  /// Replaces a file's bytes, as a fault would.
  func overwrite(_ path: String, _ bytes: [UInt8]) throws {
    let file = try openForAppending(path)
    try file.truncate(to: 0)
    try file.append(bytes)
  }

  func overwrite(_ path: String, _ text: String) throws { try overwrite(path, Array(text.utf8)) }

  /// The names and bytes of all regular files in a folder.
  func contents(_ directory: String) throws -> [String: [UInt8]] {
    var contents: [String: [UInt8]] = [:]
    for name in try list(directory) { contents[name] = try readFile("\(directory)/\(name)") }
    return contents
  }
}
