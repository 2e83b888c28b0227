// Small text files that an operator wrote: the settings and the password.

import Glibc

/// Why a text file could not be read, e.g. `No such file or directory`.
struct TextFileError: Error {
  let reason: String
}

/// The text of a file.
///
/// - Throws: where it cannot be read, is not UTF-8, or is larger than 1 MiB and so surely not what was
///   meant.
func readTextFile(_ path: String) throws(TextFileError) -> String {
  let byteLimit = 1 << 20
  guard let file = fopen(path, "re") else { throw TextFileError(reason: String(cString: strerror(errno))) }
  defer { fclose(file) }

  var bytes = [UInt8](repeating: 0, count: byteLimit + 1)
  let count = fread(&bytes, 1, bytes.count, file)
  // A folder opens, and fails to be read.
  guard ferror(file) == 0 else { throw TextFileError(reason: String(cString: strerror(errno))) }
  guard count <= byteLimit else {
    throw TextFileError(reason: "larger than \(sizeText(bytes: Int64(byteLimit)))")
  }
  guard let text = String(validating: bytes[..<count], as: UTF8.self) else {
    throw TextFileError(reason: "not UTF-8 text")
  }
  return text
}

/// Why a file is no place for a secret, or nil where it is one: others than its owner and group may read or change it.
func exposedReason(_ path: String) -> String? {
  var status = stat()
  guard stat(path, &status) == 0, status.st_mode & (S_IROTH | S_IWOTH) != 0 else { return nil }
  let mode = String(status.st_mode & 0o7777, radix: 8)
  return "can be read or changed by everybody (mode \(mode))"
}

func isEmptyFile(_ path: String) -> Bool {
  var status = stat()
  return stat(path, &status) == 0 && status.st_size == 0
}

/// Whether there is nothing at a path yet.
public func isMissing(_ path: String) -> Bool {
  var status = stat()
  return stat(path, &status) != 0 && errno == ENOENT
}

/// Why a path cannot be read, or nil where it can.
func unreadableReason(_ path: String, mayBeFolder: Bool) -> String? {
  var status = stat()
  guard stat(path, &status) == 0 else { return String(cString: strerror(errno)) }
  guard mayBeFolder || status.st_mode & S_IFMT != S_IFDIR else { return String(cString: strerror(EISDIR)) }
  guard access(path, R_OK) == 0 else { return String(cString: strerror(errno)) }
  return nil
}
