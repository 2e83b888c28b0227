// Connections that come about and bring no subscription: a broker that does not answer, one that hangs up before it
// does, and a subscription that cannot be asked for.

import Journal
import Storage
import Testing
import Threads

@testable import Ingest
@testable import Mosquitto
@testable import Playback

@Suite struct UnsubscribedConnectionTests {
  /// What the broker does once it is asked for a subscription.
  fileprivate enum Answer {
    case none, hangUp, subscriptionFails
  }

  /// A broker whose time passes while the loop waits for it.
  private final class Broker: BrokerConnection, IngestClock, IngestObserver {
    let answer: Answer
    var delegate: (any ClientDelegate)?
    private(set) var isConnected = false
    private var isConnecting = false
    private var hangsUp = false
    private(set) var monotonicMs = 1_000_000
    var wallMs: Int64 { Int64(monotonicMs) }
    /// When each connection began, and why it ended.
    private(set) var attemptsMs: [Int] = []
    private(set) var ends: [MosquittoError] = []

    init(_ answer: Answer) { self.answer = answer }

    var socket: Int32 { isConnected || isConnecting ? 1 << 20 : -1 }
    var wantsWrite: Bool { false }

    func connect() {
      attemptsMs.append(monotonicMs)
      isConnecting = true
    }

    func subscribe(_ filters: [String]) throws(MosquittoError) {
      if answer == .subscriptionFails { throw .library(operation: "subscribe", code: 1) }
      hangsUp = answer == .hangUp
    }

    func wait(timeoutMs: Int, forWriting: Bool, wakeup: Int32) -> Readiness {
      monotonicMs += max(timeoutMs, 1)
      return Readiness(canRead: true, canWrite: false, wokenUp: false)
    }

    func readTurn(maxMessages: Int) -> ReadTurnOutcome {
      if isConnecting {
        (isConnecting, isConnected) = (false, true)
        delegate?.connected(sessionPresent: true)
      } else if hangsUp {
        (hangsUp, isConnected) = (false, false)
        delegate?.disconnected(.connectionLost(errno: 0))
      }
      return .drained
    }

    func disconnect() {
      guard isConnected else { return }
      isConnected = false
      delegate?.disconnected(nil)
    }

    func checkAcknowledgementsWithheld() {}
    func writeTurn() {}
    func housekeepingTurn() {}

    func disconnected(_ reason: MosquittoError?) { if let reason { ends.append(reason) } }
    func subscribed(sessionPresent: Bool, isComplete: Bool) {}
    func subscriptionRefused(_ filter: String, reasonCode: UInt8) {}
    func connectFailed(_ reason: MosquittoError, retryInMs: Int) {}
    func sessionLost(fromMs: Int64, toMs: Int64) {}
    func roomChanged(isLow: Bool, freeBytes: Int, minFreeBytes: Int) {}
    func wokenUp() {}
    func secondPassed() {}
  }

  private final class Nobody: BatchConsumer {
    let failure: PlayError? = nil
    let isCheckpointing = false
    func takeRollRequest() -> Bool { false }
    func freeBatch(timeoutMs: Int) -> EntryBatch? { EntryBatch() }
    func submit(_ batch: EntryBatch) {}
  }

  /// Runs a loop until it has begun so many connections.
  private func run(_ broker: Broker, connections: Int) throws -> IngestLoop {
    let (journal, engine) = (try JournalFixture(), try EngineFixture())
    let loop = IngestLoop(
      connection: broker, subscriptions: ["a/#"],
      limits: IngestLimits(maxMessageBytes: 1 << 20, minFreeBytes: 0, checkpoints: .seldom),
      recovered: Recovered(
        journal: try JournalWriter(fileSystem: LocalFileSystem(), directory: journal.directory),
        player: engine.player, redeliveries: RedeliveryFilter(), checkpointPosition: 0),
      engine: Nobody(),
      room: RoomWatch(
        fileSystem: LocalFileSystem(), directory: engine.folder("data"), minFreeBytes: 0),
      clock: broker, jitter: { $0.upperBound }, wakeUp: WakeUp(), observer: broker,
      isStopping: { broker.attemptsMs.count >= connections })
    try loop.run()
    return loop
  }

  private func pauses(_ broker: Broker) -> [Int] {
    zip(broker.attemptsMs.dropFirst(), broker.attemptsMs).map { $0 - $1 }
  }

  @Test func `A broker that hangs up before it has granted anything is tried less and less often`() throws {
    let broker = Broker(.hangUp)
    _ = try run(broker, connections: 8)
    let pauses = pauses(broker)
    #expect(pauses == pauses.sorted())
    #expect(pauses[0] >= 500 && pauses[6] >= 30_000)
    #expect(broker.ends == Array(repeating: .connectionLost(errno: 0), count: 7))
  }

  @Test func `An answer to the subscription that never comes is waited for no longer than that`() throws {
    let broker = Broker(.none)
    let loop = try run(broker, connections: 3)
    #expect(broker.ends.count == 2)
    #expect(broker.ends.allSatisfy { $0 == .subscriptionUnanswered(timeoutMs: 30_000) })
    #expect(pauses(broker).allSatisfy { (30_000...40_000).contains($0) })
    guard
      case .away(_, "the broker did not answer the subscription within 30000 ms") =
        loop.published.latest.connection.state
    else {
      Issue.record("\(loop.published.latest.connection.state)")
      return
    }
  }

  @Test func `A subscription that cannot be asked for ends the connection, and is told`() throws {
    let broker = Broker(.subscriptionFails)
    _ = try run(broker, connections: 5)
    #expect(broker.ends == Array(repeating: .library(operation: "subscribe", code: 1), count: 4))
    #expect(pauses(broker).last ?? 0 >= 4_000)
  }
}
