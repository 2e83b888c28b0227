// Whether two of the gateway's topic filters can match the same topic, which would then have two kinds
// of records. What a filter is, `Records.TopicFilter` says.

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
