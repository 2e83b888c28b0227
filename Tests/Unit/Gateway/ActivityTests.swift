import Ingest
import Testing

@testable import Gateway

@Suite struct ActivityTests {
  private let activity = Activity(broker: "b:1883")

  private func sentence(_ phase: Activity.Phase) -> String {
    activity.set(phase)
    return activity.sentence(.subscribed, pairs: 12).text
  }

  private func sentence(_ connection: ConnectionState, pairs: Int = 12) -> String {
    activity.set(.running)
    return activity.sentence(connection, pairs: pairs).text
  }

  @Test func `Each phase and each state of the connection is a sentence for a person`() {
    #expect(sentence(.starting) == "starting")
    #expect(
      sentence(.playing(doneBytes: 5 << 20, totalBytes: 80 << 20)) == "playing the journal, 5 of 80 MiB")
    #expect(sentence(.readingCustomers(path: "/c")) == "reading the customers in /c")
    #expect(sentence(.connecting) == "connecting to the broker at b:1883")
    #expect(
      sentence(.away(sinceMs: 0, reason: "gone"))
        == "no connection to the broker at b:1883 since 1970-01-01T00:00:00Z: gone")
    #expect(sentence(.subscribed) == "connected to b:1883, 12 pairs written")
    #expect(sentence(.subscribed, pairs: 1) == "connected to b:1883, 1 pair written")
    #expect(
      sentence(.refused(filters: ["a/#", "b"]))
        == "connected to b:1883, but it refused the subscription to a/#; check topics.* and its ACL")
    #expect(
      sentence(.noRoom(freeBytes: 3 << 20))
        == "disk low: 3 MiB are free, less than storage.min_free_bytes; the broker keeps the messages")
  }

  @Test func `The gist of a sentence is the same whatever its numbers are`() {
    activity.set(.playing(doneBytes: 5 << 20, totalBytes: 80 << 20))
    let playing = activity.sentence(.connecting, pairs: 1)
    activity.set(.playing(doneBytes: 6 << 20, totalBytes: 80 << 20))
    #expect(activity.sentence(.connecting, pairs: 1).text != playing.text)
    #expect(activity.sentence(.connecting, pairs: 1).gist == playing.gist)
    activity.set(.running)
    let gists = [
      ConnectionState.connecting, .subscribed, .refused(filters: ["f"]), .away(sinceMs: 1, reason: "r"),
      .noRoom(freeBytes: 1 << 20),
    ].map { activity.sentence($0, pairs: 1).gist }
    #expect(Set(gists + [playing.gist]).count == 6)
    #expect(activity.sentence(.subscribed, pairs: 2).gist == gists[1])
    #expect(activity.sentence(.noRoom(freeBytes: 9 << 20), pairs: 1).gist == gists[4])
  }
}
