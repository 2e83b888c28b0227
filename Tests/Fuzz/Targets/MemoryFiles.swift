// Files that a run begins and ends with.

import Storage
import TestSupport

extension MemoryFileSystem {
  /// Writes a new file.
  func write(_ path: String, _ bytes: [UInt8]) {
    do throws(StorageError) { try openForAppending(path).append(bytes) } catch {
      preconditionFailure("a file in memory: \(error)")
    }
  }

  /// The bytes of each segment in a table's folder; none if there is no such folder.
  func segments(in directory: String) -> [[UInt8]] {
    do throws(StorageError) {
      var segments: [[UInt8]] = []
      for name in try list(directory) where name.first?.isNumber == true {
        segments.append(try readFile("\(directory)/\(name)"))
      }
      return segments
    } catch {
      precondition(error.isNotFound, "tables in memory: \(error)")
      return []
    }
  }

  /// Makes a new symbolic link.
  func link(_ path: String, target: String) {
    do throws(StorageError) { try createLink(path, target: target) } catch {
      preconditionFailure("a link in memory: \(error)")
    }
  }
}
