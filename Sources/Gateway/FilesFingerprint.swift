// Whether files are still those that were read, without reading them.

import Glibc

/// What the system knows of a file, or of the files in a folder: equal as long as nobody has written or replaced one.
struct FilesFingerprint: Equatable {
  private struct File: Equatable {
    let path: String
    /// Device, inode, bytes, and the seconds and nanoseconds of its last two changes; empty where there is none.
    let marks: [Int]
  }

  private let files: [File]

  /// - Parameter path: a file or a folder, which need not be there.
  init(path: String) {
    var files = [Self.file(path)]
    if let folder = opendir(path) {
      defer { closedir(folder) }
      while let entry = readdir(folder) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
          String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if !name.hasPrefix(".") { files.append(Self.file("\(path)/\(name)")) }
      }
    }
    self.files = files.sorted { $0.path < $1.path }
  }

  private static func file(_ path: String) -> File {
    var status = stat()
    guard stat(path, &status) == 0 else { return File(path: path, marks: []) }
    return File(
      path: path,
      marks: [
        Int(status.st_dev), Int(status.st_ino), Int(status.st_size), status.st_mtim.tv_sec,
        status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec,
      ])
  }
}

/// The folders in which something happens when the files at a path change, also if the path is not there yet, or leads
/// over a symbolic link.
func foldersToWatch(for path: String) -> Set<String> {
  var folders: Set<String> = [nearestFolder(above: path)]
  if isFolder(path) { folders.insert(path) }
  if let real = realpath(path, nil) {
    defer { free(real) }
    folders.insert(nearestFolder(above: String(cString: real)))
  }
  return folders
}

private func nearestFolder(above path: String) -> String {
  var path = path[...]
  while true {
    while path.hasSuffix("/") && path.count > 1 { path = path.dropLast() }
    guard let slash = path.lastIndex(of: "/") else { return "." }
    path = slash == path.startIndex ? "/" : path[..<slash]
    if path == "/" || isFolder(String(path)) { return String(path) }
  }
}

private func isFolder(_ path: String) -> Bool {
  var status = stat()
  return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}
