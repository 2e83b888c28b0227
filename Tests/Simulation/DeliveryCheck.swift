// Which messages are in the journal?
//
// Messages that say the same cannot be told apart, so the journal is matched with the script as a text with a
// pattern: a message may be left out only if it was lost. All places at which the journal's entries so far may have
// ended are kept, not only the first.

/// What messages the journal has to hold, in their order.
struct DeliveryCheck {
  /// What each message of the script says, topic and payload.
  var script: [[UInt8]]
  /// Whether a message may be missing.
  var isOptional: [Bool]

  /// Nil if the entries are the messages, each once, in order, but for some that may be missing.
  func failure(of journaled: [[UInt8]]) -> SimulationFailure? {
    if matches(journaled, isOptional) == nil { return nil }
    // Would it be right if messages were allowed to be missing?
    if let place = matches(journaled, script.map { _ in true }) {
      return SimulationFailure(
        .twice, "entry \(place), \(text(journaled[place])), is there twice or too late")
    }
    return SimulationFailure(.lost, missing(journaled))
  }

  /// The place of the first entry that cannot be matched, the end if too few are there; nil if all is well.
  private func matches(_ journaled: [[UInt8]], _ isOptional: [Bool]) -> Int? {
    var ends: Set<Int> = [0]
    for (place, entry) in journaled.enumerated() {
      var next: Set<Int> = []
      for end in ends {
        var message = end
        while message < script.count {
          if script[message] == entry { next.insert(message + 1) }
          if !isOptional[message] { break }
          message += 1
        }
      }
      if next.isEmpty { return place }
      ends = next
    }
    return ends.contains { isOptional[$0...].allSatisfy { $0 } } ? nil : journaled.count
  }

  private func missing(_ journaled: [[UInt8]]) -> String {
    let place = matches(journaled, isOptional) ?? 0
    let rest = place < journaled.count ? "before \(text(journaled[place]))" : "at the end"
    return "an acknowledged message is missing in the journal \(rest), entry \(place)"
  }

  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
