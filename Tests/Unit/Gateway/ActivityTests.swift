import Testing

@testable import Gateway

@Suite struct ActivityTests {
  @Test func `Each phase is a sentence for a person`() {
    let activity = Activity(broker: "b:1883")
    func sentence(_ phase: Activity.Phase) -> String {
      activity.set(phase)
      return activity.sentence(pairs: 12).text
    }
    #expect(sentence(.starting) == "starting")
    #expect(
      sentence(.playing(doneBytes: 5 << 20, totalBytes: 80 << 20)) == "playing the journal, 5 of 80 MiB")
    #expect(sentence(.readingCustomers(path: "/c")) == "reading the customers in /c")
    #expect(sentence(.connecting) == "connecting to the broker at b:1883")
    #expect(
      sentence(.disconnected(sinceMs: 0, reason: "gone"))
        == "no connection to the broker at b:1883 since 1970-01-01T00:00:00Z: gone")
    #expect(sentence(.connected) == "connected to b:1883, 12 pairs written")
    #expect(activity.sentence(pairs: 1).text == "connected to b:1883, 1 pair written")
    #expect(
      sentence(.refused(filter: "a/#"))
        == "connected to b:1883, but it refused the subscription to a/#; check topics.* and its ACL")
    #expect(
      sentence(.lowOnRoom(freeBytes: 3 << 20))
        == "disk low: 3 MiB are free, less than storage.min_free_bytes; the broker keeps the messages")
  }

  @Test func `The gist of a sentence is the same whatever its numbers are`() {
    let activity = Activity(broker: "b:1883")
    activity.set(.playing(doneBytes: 5 << 20, totalBytes: 80 << 20))
    let before = activity.sentence(pairs: 1)
    activity.set(.playing(doneBytes: 6 << 20, totalBytes: 80 << 20))
    #expect(activity.sentence(pairs: 1).text != before.text)
    #expect(activity.sentence(pairs: 1).gist == before.gist)
    activity.set(.connected)
    #expect(activity.sentence(pairs: 1).gist == activity.sentence(pairs: 2).gist)
    #expect(activity.sentence(pairs: 1).gist != before.gist)
  }

  @Test func `A connection is gone since the first failure, and a low disk is the better reason`() {
    let activity = Activity(broker: "b:1883")
    activity.lostConnection("first", nowMs: 1_000)
    activity.lostConnection("second", nowMs: 2_000)
    #expect(activity.phase == .disconnected(sinceMs: 1_000, reason: "second"))
    activity.set(.lowOnRoom(freeBytes: 1))
    activity.lostConnection("closed", nowMs: 3_000)
    #expect(activity.phase == .lowOnRoom(freeBytes: 1))
  }
}
