import Testing

@testable import Gateway

@Suite struct TopicFilterTests {
  @Test(arguments: [
    "#", "+", "a", "/", "/a", "a/", "a//b", "a/#", "+/+", "+/a/#", "a b/ü", "$SYS/#", "{user}", "a/{user}/b",
    "{user}/#",
    "$shared/a",
  ])
  func `A filter by the rules of MQTT 5 is accepted`(filter: String) {
    #expect(topicFilterProblem(filter, placeholders: ["user"]) == nil)
  }

  @Test(arguments: [
    ("", "is empty"),
    ("a/#/b", "has # before its last level"),
    ("#/", "has # before its last level"),
    ("a#", "has # in a level with other characters"),
    ("a/b#", "has # in a level with other characters"),
    ("##", "has # in a level with other characters"),
    ("a+/b", "has + in a level with other characters"),
    ("a/+b", "has + in a level with other characters"),
    ("++", "has + in a level with other characters"),
    ("a/{user", "has { in a level with other characters"),
    ("a/user}", "has } in a level with other characters"),
    ("a/x{user}", "has { in a level with other characters"),
    ("a/{}", "has { in a level with other characters"),
    ("a/{email}", "has the unknown placeholder {email}"),
    ("a/{User}", "has the unknown placeholder {User}"),
    ("a/{{user}}", "has the unknown placeholder {{user}}"),
    ("{user}/{user}", "has more than one placeholder"),
    ("$share/group/a", "is a shared subscription"),
    ("a\u{0}b", "has a control character"),
    (String(repeating: "a", count: 65_536), "is longer than 65535 bytes"),
  ])
  func `Any other filter is refused with the reason`(filter: String, problem: String) {
    #expect(topicFilterProblem(filter, placeholders: ["user"]) == problem)
  }

  @Test(arguments: [
    ("a", "a"), ("a/b", "a/+"), ("a/b", "+/b"), ("a/+", "+/b"), ("a/b", "#"), ("a/b", "a/#"), ("a", "a/#"),
    ("a/#", "a/b/#"), ("+/b/#", "a/+"), ("a/{user}", "a/+"), ("a/{user}", "a/{email}"), ("a/{user}", "a/b"),
    ("$SYS/#", "$SYS/a"), ("#", "+"), ("a/", "a/+"), ("/a", "+/a"),
  ])
  func `Two filters that one topic matches overlap, in either order`(a: String, b: String) {
    #expect(topicFiltersOverlap(a, b))
    #expect(topicFiltersOverlap(b, a))
  }

  @Test(arguments: [
    ("a", "b"), ("a", "A"), ("a/b", "a/c"), ("a", "a/b"), ("a/+", "a"), ("a/+", "a/b/c"), ("+", "a/b"),
    ("a/#", "b/#"),
    ("a/b/#", "a/c/#"), ("$SYS/a", "#"), ("$SYS/a", "+/a"), ("a/", "a"), ("a/b/#", "a"),
  ])
  func `Two filters that no topic matches do not overlap`(a: String, b: String) {
    #expect(!topicFiltersOverlap(a, b))
    #expect(!topicFiltersOverlap(b, a))
  }
}
