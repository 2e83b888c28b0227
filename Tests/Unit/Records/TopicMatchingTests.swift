import Records
import Testing
import TestSupport

@Suite struct TopicMatchingTests {
  private func kind(of topic: String, filter: String) throws -> RecordKind {
    let never = try TopicFilter("never", kind: .customer)
    let router = TopicRouter(
      customer: never, accelerometer: never, stepTrainer: try TopicFilter(filter, kind: .stepTrainer))
    let topic = PaddedText(Array(topic.utf8))
    defer { withExtendedLifetime(topic) {} }
    return router.route(topic.bytes).kind
  }

  @Test(arguments: [
    ("a/b", "a/b"), ("a/+", "a/b"), ("a/+", "a/"), ("+/+", "/a"), ("/+", "/a"), ("+", "a"), ("#", "a"),
    ("#", "a/b/c"), ("#", "/"), ("a/#", "a"), ("a/#", "a/"), ("a/#", "a/b/c"), ("+/b/#", "a/b"),
    ("a//b", "a//b"),
    ("a/+/b", "a//b"), ("$SYS/#", "$SYS/x"), ("$SYS/+", "$SYS/x"), ("a/+", "a/$x"),
    ("a/{serialNumber}", "a/s"),
    ("a/{serialNumber}/b", "a/s/b"), ("a/{serialNumber}/#", "a/s"), ("{serialNumber}", "s"), ("ä/ö", "ä/ö"),
  ])
  func `A topic matches by the rules of MQTT 5, section 4_7`(filter: String, topic: String) throws {
    #expect(try kind(of: topic, filter: filter) == .stepTrainer)
  }

  @Test(arguments: [
    ("a/b", "a"), ("a/b", "a/b/c"), ("a/b", "A/b"), ("a/b", "/a/b"), ("a/b", "a/b/"), ("a/+", "a"),
    ("a/+", "a/b/c"), ("+", "a/b"), ("+", "/a"), ("a/#", "ab"), ("a/#", "b/a"), ("#", "$SYS/x"),
    ("+/x", "$SYS/x"),
    ("{serialNumber}/x", "$SYS/x"), ("a/{serialNumber}", "a"), ("a/{serialNumber}", "a/s/b"),
  ])
  func `Any other topic does not match`(filter: String, topic: String) throws {
    #expect(try kind(of: topic, filter: filter) == .unknown)
  }

  @Test func `The placeholder's level is what the topic holds there`() throws {
    let never = try TopicFilter("never", kind: .customer)
    let router = TopicRouter(
      customer: never, accelerometer: try TopicFilter("a/{user}/b", kind: .accelerometer), stepTrainer: never)
    for user in ["u@x", "", "{user}", "ü"] {
      let topic = PaddedText(Array("a/\(user)/b".utf8))
      let route = router.route(topic.bytes)
      #expect(route.identity?.field == .user)
      #expect(route.identity.map { Array($0.level) } == Array(user.utf8))
      withExtendedLifetime(topic) {}
    }
  }

  @Test func `The first filter that matches decides`() throws {
    let all = try TopicFilter("#", kind: .customer)
    let router = TopicRouter(
      customer: try TopicFilter("c/#", kind: .customer), accelerometer: all, stepTrainer: all)
    for (topic, kind) in [("c/1", RecordKind.customer), ("s/1", .accelerometer)] {
      let topic = PaddedText(Array(topic.utf8))
      #expect(router.route(topic.bytes).kind == kind)
      withExtendedLifetime(topic) {}
    }
  }

  @Test func `The broker is asked for the filter with a plus for the placeholder`() throws {
    let router = TopicRouter(
      customer: try TopicFilter("c/{email}/#", kind: .customer),
      accelerometer: try TopicFilter("a/{user}", kind: .accelerometer),
      stepTrainer: try TopicFilter("s/+/x", kind: .stepTrainer))
    #expect(router.subscriptions == ["c/+/#", "a/+", "s/+/x"])
  }

  @Test(arguments: [
    ("", TopicFilterError.empty), ("a\0", .empty), (String(repeating: "a", count: 65_536), .empty),
    ("#/a", .hashNotLast), ("a/#/b", .hashNotLast), ("a#", .wildcardInLevel("a#")),
    ("a/b+", .wildcardInLevel("b+")),
    ("{user}/{user}", .placeholderTwice), ("a/{email}", .unknownPlaceholder("{email}", allowed: ["{user}"])),
    ("a/x{user}", .unknownPlaceholder("x{user}", allowed: ["{user}"])),
    ("a/}", .unknownPlaceholder("}", allowed: ["{user}"])),
  ])
  func `What is no filter is refused with the reason`(filter: String, reason: TopicFilterError) {
    #expect(throws: reason) { try TopicFilter(filter, kind: .accelerometer) }
  }
}
