import Testing

@testable import Settings

@Suite struct TopicFilterOverlapTests {
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
