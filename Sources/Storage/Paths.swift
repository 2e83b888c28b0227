// Paths as text. Nothing here looks at the disk.

/// The folder that holds `path`: `/` for `/a`, `.` for `a`.
func parentDirectory(of path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// The hidden name beside `path` under which its replacement is made. A leading dot keeps it out of
/// `*.ndjson` and of what Spark, Athena and DuckDB read.
func temporaryPath(for path: String) -> String {
  let name = path.split(separator: "/").last.map(String.init) ?? path
  return "\(parentDirectory(of: path))/.\(name).tmp"
}
