// The hint behind an unknown name: the setting that was probably meant.

/// The setting or section whose name is nearest to an unknown one, or nil where none is near enough to
/// be a help.
///
/// `mqtt.hots`, `hots` and `host` lead to `mqtt.host`, and `mqtt.password` to `mqtt.password_file`: a name
/// counts in whole or by its last part, and one that goes on where the unknown one ends is nearest.
///
/// - Parameter known: keys such as `mqtt.host`; of several that are as near, the first is taken.
func nearestSetting(to unknown: String, in known: [String]) -> String? {
  let lengthLimit = 100
  guard (1...lengthLimit).contains(unknown.utf8.count) else { return nil }
  let unknown = comparable(unknown)
  let distances = known.map { key in
    let lastPart = key.split(separator: ".").last.map(String.init) ?? key
    return min(distance(unknown, comparable(key)), distance(unknown, lastPart))
  }
  guard let smallest = distances.min(), smallest <= max(1, unknown.utf8.count / 3) else { return nil }
  return distances.firstIndex(of: smallest).map { known[$0] }
}

/// Keys of a file and names of environment variables in one spelling.
private func comparable(_ name: String) -> String {
  name.lowercased().replacing(".", with: "_")
}

private func distance(_ unknown: String, _ known: String) -> Int {
  let shortestAbbreviation = 4
  if unknown.utf8.count >= shortestAbbreviation && known.hasPrefix(unknown) {
    return known == unknown ? 0 : 1
  }
  return editDistance(unknown, known)
}

/// The Levenshtein distance: how many bytes to insert, delete or replace to make one of the other.
func editDistance(_ a: String, _ b: String) -> Int {
  let b = Array(b.utf8)
  // One row of the table at a time: distances from the bytes of `a` so far to each prefix of `b`.
  var row = Array(0...b.count)
  for (i, byte) in a.utf8.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for j in b.indices {
      let replaced = diagonal + (byte == b[j] ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
    }
  }
  return row[b.count]
}
