// The rules for topic filters: those of MQTT 5, section 4.7, and the gateway's placeholder levels.
//
// A placeholder such as `{serialNumber}` is a whole level. Towards the broker it is `+`; in the gateway
// that level of a topic must equal the field of the payload.

/// What is wrong with a topic filter, to be read after its text; nil where nothing is.
///
/// - Parameter fields: the payload fields that a placeholder may name.
func topicFilterProblem(_ filter: String, placeholders fields: [String]) -> String? {
  // MQTT 5, section 4.7.3; a string's length is 16 bits (section 1.5.4).
  guard !filter.isEmpty else { return "is empty" }
  guard filter.utf8.count <= 65_535 else { return "is longer than 65535 bytes" }
  guard !filter.unicodeScalars.contains(where: isControl) else { return "has a control character" }
  // A share (section 4.8.2) would spread one session's messages over several gateways.
  guard !filter.hasPrefix("$share/") else { return "is a shared subscription" }

  let levels = filter.split(separator: "/", omittingEmptySubsequences: false)
  var placeholders = 0
  for (index, level) in levels.enumerated() {
    switch level {
    case "+": continue
    case "#" where index == levels.count - 1: continue
    case "#": return "has # before its last level"
    default: break
    }
    if level.hasPrefix("{"), level.hasSuffix("}"), level.count > 2 {
      let field = String(level.dropFirst().dropLast())
      guard fields.contains(field) else { return "has the unknown placeholder \(level)" }
      placeholders += 1
      continue
    }
    if let wildcard = level.first(where: { "+#{}".contains($0) }) {
      return "has \(wildcard) in a level with other characters"
    }
  }
  return placeholders > 1 ? "has more than one placeholder" : nil
}

/// Whether there is a topic that both (valid) filters match.
func topicFiltersOverlap(_ a: String, _ b: String) -> Bool {
  let a = a.split(separator: "/", omittingEmptySubsequences: false)
  let b = b.split(separator: "/", omittingEmptySubsequences: false)
  // A wildcard at the start matches no topic that begins with $ (MQTT 5, section 4.7.2).
  if isWildcard(a[0]) && b[0].hasPrefix("$") || isWildcard(b[0]) && a[0].hasPrefix("$") { return false }
  for (level, other) in zip(a, b) {
    if level == "#" || other == "#" { return true }
    if level != other && !isWildcard(level) && !isWildcard(other) { return false }
  }
  // `sport/#` matches `sport` as well (section 4.7.1.2).
  let rest = a.count > b.count ? a[b.count...] : b[a.count...]
  return rest.isEmpty || rest.elementsEqual(["#"])
}

private func isWildcard(_ level: Substring) -> Bool {
  level == "+" || level == "#" || level.hasPrefix("{")
}
