// Topic filters (MQTT 5, section 4.7) with a placeholder level, and the way from a topic to a kind.

import Glibc

/// The field that a placeholder level names.
public enum IdentityField: String, CaseIterable, Sendable {
  case email, serialNumber, user

  /// The placeholders that filters of a kind may hold.
  public static func allowed(for kind: RecordKind) -> [IdentityField] {
    switch kind {
    case .customer: [.email, .serialNumber]
    case .accelerometer: [.user]
    case .stepTrainer: [.serialNumber]
    case .unknown: []
    }
  }
}

/// A topic filter such as `stedi/customer/#` or `stedi/step_trainer/{serialNumber}`.
public struct TopicFilter: Sendable, Equatable {
  // Plain values, so that matching a topic counts no references: `texts` holds what `.text` levels say.
  private enum Level: Equatable, Sendable {
    case text(start: Int, count: Int)
    case anyOne
    case identity(IdentityField)
    case anyRest

    var isText: Bool { if case .text = self { true } else { false } }
  }

  private let levels: [Level]
  private let texts: [UInt8]
  /// What is sent to the broker: the filter with `+` for the placeholder.
  public let subscription: String

  /// Reads a filter for records of a kind.
  /// - Throws: `TopicFilterError`, which says what is wrong.
  public init(_ text: String, kind: RecordKind) throws(TopicFilterError) {
    guard !text.isEmpty, text.utf8.count <= 65_535, !text.utf8.contains(0) else { throw .empty }
    var levels: [Level] = []
    var texts: [UInt8] = []
    for part in text.split(separator: "/", omittingEmptySubsequences: false) {
      if levels.last == .anyRest { throw .hashNotLast }
      levels.append(try Self.level(String(part), kind: kind, &texts))
    }
    let placeholders = levels.filter { if case .identity = $0 { true } else { false } }
    if placeholders.count > 1 { throw .placeholderTwice }
    self.levels = levels
    self.texts = texts
    subscription = text.split(separator: "/", omittingEmptySubsequences: false)
      .map { $0.hasPrefix("{") ? "+" : String($0) }.joined(separator: "/")
  }

  private static func level(
    _ part: String, kind: RecordKind, _ texts: inout [UInt8]
  ) throws(TopicFilterError) -> Level {
    if part == "+" { return .anyOne }
    if part == "#" { return .anyRest }
    if part.contains("+") || part.contains("#") { throw .wildcardInLevel(part) }
    guard part.contains("{") || part.contains("}") else {
      texts += part.utf8
      return .text(start: texts.count - part.utf8.count, count: part.utf8.count)
    }
    let allowed = IdentityField.allowed(for: kind)
    guard let field = allowed.first(where: { "{\($0.rawValue)}" == part }) else {
      throw .unknownPlaceholder(part, allowed: allowed.map { "{\($0.rawValue)}" })
    }
    return .identity(field)
  }

  /// Whether a topic matches, and what its placeholder level holds.
  /// A wildcard in the first level, and so a placeholder, does not match a topic that begins with `$`
  /// (section 4.7.2).
  func match(_ topic: UnsafeRawBufferPointer) -> (matches: Bool, identity: TopicIdentity?) {
    levels.withUnsafeBufferPointer { levels in
      texts.withUnsafeBytes { texts in Self.match(topic, levels, texts) }
    }
  }

  private static func match(
    _ topic: UnsafeRawBufferPointer, _ levels: UnsafeBufferPointer<Level>, _ texts: UnsafeRawBufferPointer
  ) -> (matches: Bool, identity: TopicIdentity?) {
    var identity: TopicIdentity?
    var start = 0
    for place in levels.indices {
      let level = levels[place]
      if place == 0, topic.first == UInt8(ascii: "$"), !level.isText { return (false, nil) }
      if level == .anyRest { return (true, identity) }
      guard start <= topic.count else { return (false, nil) }
      let rest = UnsafeRawBufferPointer(rebasing: topic[start...])
      if case .text(let first, let count) = level {
        guard begins(rest, with: UnsafeRawBufferPointer(rebasing: texts[first..<first + count])) else {
          return (false, nil)
        }
        start += count + 1
        continue
      }
      let length = rest.firstIndex(of: slash) ?? rest.count
      if case .identity(let field) = level {
        identity = TopicIdentity(field: field, level: UnsafeRawBufferPointer(rebasing: rest[..<length]))
      }
      start += length + 1
    }
    return (start > topic.count, identity)
  }

  private static let slash = UInt8(ascii: "/")

  // Whether the first level is exactly this text.
  private static func begins(_ rest: UnsafeRawBufferPointer, with text: UnsafeRawBufferPointer) -> Bool {
    guard rest.count >= text.count, rest.count == text.count || rest[text.count] == slash else {
      return false
    }
    guard let expected = text.baseAddress, let found = rest.baseAddress else { return true }
    return memcmp(found, expected, text.count) == 0
  }
}

/// Why a topic filter is not one.
public enum TopicFilterError: Error, Equatable, CustomStringConvertible {
  case empty, hashNotLast, placeholderTwice
  case wildcardInLevel(String)
  case unknownPlaceholder(String, allowed: [String])

  public var description: String {
    switch self {
    case .empty: "it is empty, too long or holds a NUL"
    case .hashNotLast: "# must be the last level"
    case .placeholderTwice: "it has more than one placeholder level"
    case .wildcardInLevel(let level): "\"\(level)\": a wildcard must be a whole level"
    case .unknownPlaceholder(let level, let allowed):
      "\"\(level)\" is no placeholder here; allowed: \(allowed.joined(separator: ", "))"
    }
  }
}

/// What a topic says of its message.
public struct TopicRoute {
  public let kind: RecordKind
  public let identity: TopicIdentity?

  public init(kind: RecordKind, identity: TopicIdentity? = nil) {
    self.kind = kind
    self.identity = identity
  }
}

/// The three filters; the first that matches decides.
// A class, so that using it counts one reference and not those of all its arrays.
public final class TopicRouter: Sendable {
  private let customer: TopicFilter
  private let accelerometer: TopicFilter
  private let stepTrainer: TopicFilter

  public init(customer: TopicFilter, accelerometer: TopicFilter, stepTrainer: TopicFilter) {
    self.customer = customer
    self.accelerometer = accelerometer
    self.stepTrainer = stepTrainer
  }

  /// The subscriptions to ask the broker for.
  public var subscriptions: [String] {
    [customer.subscription, accelerometer.subscription, stepTrainer.subscription]
  }

  /// The kind of a message by its topic; `.unknown` where no filter matches.
  public func route(_ topic: UnsafeRawBufferPointer) -> TopicRoute {
    let customer = customer.match(topic)
    if customer.matches { return TopicRoute(kind: .customer, identity: customer.identity) }
    let accelerometer = accelerometer.match(topic)
    if accelerometer.matches { return TopicRoute(kind: .accelerometer, identity: accelerometer.identity) }
    let stepTrainer = stepTrainer.match(topic)
    if stepTrainer.matches { return TopicRoute(kind: .stepTrainer, identity: stepTrainer.identity) }
    return TopicRoute(kind: .unknown)
  }
}
