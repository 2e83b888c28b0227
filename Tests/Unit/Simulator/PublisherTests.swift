import Foundation
import Mosquitto
import TestSupport
import Testing

@testable import Simulator

@Suite struct `Simulator publisher` {
  private func options(_ broker: PrivateBroker, _ clientID: String) -> ConnectOptions {
    ConnectOptions(host: broker.host, port: broker.port, clientID: clientID)
  }

  private func messages(_ count: Int) -> [OutgoingMessage] {
    (0..<count).map { OutgoingMessage(topic: "t", payload: Array(String($0).utf8)) }
  }

  private func subscriber(_ broker: PrivateBroker) throws -> TestClient {
    let subscriber = try TestClient(options(broker, "subscriber"))
    try subscriber.connect()
    if subscriber.events.sessionsPresent.last == false { try subscriber.subscribe(["#"]) }
    return subscriber
  }

  @Test func `All messages arrive in order and are acknowledged, whatever the window`() throws {
    let broker = try PrivateBroker()
    let subscriber = try subscriber(broker)
    for window in [1, 7, 1_000] {
      subscriber.events.messages = []
      let publisher = try Publisher(options(broker, "publisher"))
      publisher.window = window
      let progress = try publisher.publish(messages(500))
      #expect(progress == PublishProgress(sent: 500, records: 500, acknowledged: 500))
      try subscriber.drive { subscriber.events.messages.count >= 500 }
      #expect(subscriber.events.messages.map(\.payload) == messages(500).map(\.payload))
    }
  }

  @Test func `The rate is not exceeded`() throws {
    let broker = try PrivateBroker()
    let publisher = try Publisher(options(broker, "publisher"))
    publisher.ratePerSecond = 100
    let start = Date()
    let progress = try publisher.publish(messages(60))
    #expect(progress.acknowledged == 60)
    #expect(Date().timeIntervalSince(start) >= 0.58)
  }

  @Test func `Progress is reported and ends with everything acknowledged`() throws {
    let broker = try PrivateBroker()
    let publisher = try Publisher(options(broker, "publisher"))
    var reports: [PublishProgress] = []
    _ = try publisher.publish(messages(2_000)) { reports.append($0) }
    #expect(reports.last == PublishProgress(sent: 2_000, records: 2_000, acknowledged: 2_000))
    #expect(reports.allSatisfy { $0.sent - $0.acknowledged <= publisher.window })
  }

  @Test func `A broker that goes away and comes back gets every message`() throws {
    var brokerOptions = PrivateBroker.Options()
    brokerOptions.isPersistent = true
    let broker = try PrivateBroker(brokerOptions)
    let subscriber = try subscriber(broker)
    let publisher = try Publisher(options(broker, "publisher"))
    publisher.ratePerSecond = 2_000
    var hasRestarted = false
    let progress = try publisher.publish(messages(1_000)) { progress in
      guard progress.sent > 100, !hasRestarted else { return }
      hasRestarted = true
      do { try broker.restart() } catch { Issue.record(error) }
    }
    #expect(hasRestarted)
    #expect(progress == PublishProgress(sent: 1_000, records: 1_000, acknowledged: 1_000, reconnections: 1))

    try subscriber.drive { !subscriber.events.endings.isEmpty }
    try subscriber.connect()
    #expect(subscriber.events.sessionsPresent == [false, true])
    try subscriber.drive { Set(subscriber.events.messages.map(\.payload)).count == 1_000 }
  }

  @Test func `What the broker refuses to take is counted`() throws {
    let rules = NSTemporaryDirectory() + "/stepgate-acl-\(UUID().uuidString)"
    try "topic write allowed/#\n".write(toFile: rules, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: rules) }
    var brokerOptions = PrivateBroker.Options()
    brokerOptions.extraLines = ["acl_file \(rules)"]
    let broker = try PrivateBroker(brokerOptions)
    let publisher = try Publisher(options(broker, "publisher"))
    let progress = try publisher.publish(
      ["allowed/a", "forbidden/a", "allowed/b"].map { OutgoingMessage(topic: $0, payload: [1]) })
    // Not compared: mosquitto 2.0.11 drops a connection after each PUBLISH it refuses.
    #expect(progress.sent == 3 && progress.acknowledged == 3 && progress.refused == 1)
  }

  @Test func `A broker that is not there is an error, at the start at once and later after the time given`()
    throws
  {
    let broker = try PrivateBroker()
    let publisher = try Publisher(options(broker, "publisher"))
    publisher.giveUpAfterMs = 300
    publisher.ratePerSecond = 1_000
    #expect(throws: MosquittoError.unreachable(host: broker.host, port: broker.port, errno: ECONNREFUSED)) {
      try publisher.publish(messages(5_000)) { progress in
        guard progress.sent > 0, broker.running != nil else { return }
        do { try broker.kill() } catch { Issue.record(error) }
      }
    }
    let late = try Publisher(options(broker, "publisher"))
    #expect(throws: MosquittoError.unreachable(host: broker.host, port: broker.port, errno: ECONNREFUSED)) {
      try late.publish(messages(1))
    }
  }

  @Test func `A whole fleet arrives as it was made`() throws {
    let broker = try PrivateBroker()
    let subscriber = try subscriber(broker)
    let fleet = Fleet(customers: 8, readings: 200, seed: 1, nowMs: 1_700_000_000_000)
    let made = Array(fleet)
    let progress = try Publisher(options(broker, "publisher")).publish(fleet)
    #expect(progress.acknowledged == made.count)
    try subscriber.drive { subscriber.events.messages.count >= made.count }
    #expect(subscriber.events.messages.map(\.topic) == made.map(\.topic))
    #expect(subscriber.events.messages.map(\.payload) == made.map(\.payload))
  }
}
