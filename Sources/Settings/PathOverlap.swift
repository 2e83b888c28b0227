// Whether two paths lead into one another, by whatever names.

import Glibc

/// Whether one of the paths is the other, or lies below it: looked at without symbolic links, `.`, `..` and superfluous
/// slashes. Neither need be there.
func pathsOverlap(_ path: String, _ other: String) -> Bool {
  let (names, others) = (realNames(path), realNames(other))
  return names.starts(with: others) || others.starts(with: names)
}

/// The names on the way from the root to a path; as far as it is there, of what it leads to.
private func realNames(_ path: String) -> [Substring] {
  var names = path.split(separator: "/")
  let start = path.hasPrefix("/") ? "/" : "./"
  var missing: [Substring] = []
  while true {
    if let real = realpath(start + names.joined(separator: "/"), nil) {
      defer { free(real) }
      return missing.reversed().reduce(into: String(cString: real).split(separator: "/")) { result, name in
        if name == ".." { _ = result.popLast() } else if name != "." { result.append(name) }
      }
    }
    guard let name = names.popLast() else { return missing.reversed() }
    missing.append(name)
  }
}
