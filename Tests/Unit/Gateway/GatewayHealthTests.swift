import Ingest
import Testing

@testable import Gateway

@Suite struct GatewayHealthTests {
  /// One to whom nothing is wrong.
  private static func well() -> GatewayStatus {
    var status = GatewayStatus()
    status.phase = .running
    status.nowAtMs = 1_000_000
    status.connection.broker = "broker:1883"
    status.connection.state = .subscribed
    status.connection.sinceAtMs = 400_000
    status.connection.messages = 10
    status.rates.messages = 1.5
    status.disk.freeBytes = 2 << 30
    status.disk.reserveBytes = 256 << 20
    return status
  }

  private static func health(_ change: (inout GatewayStatus) -> Void) -> GatewayStatus.Health {
    var status = well()
    change(&status)
    return GatewayStatus.Health(of: status)
  }

  @Test func `With nothing wrong all is well, and it says whether anything comes`() {
    let busy = Self.health { _ in }
    #expect(busy.level == .good)
    #expect(busy.headline == "All is well. Messages come in and rows go out.")
    #expect(busy.details.isEmpty)
    let quiet = Self.health { $0.rates.messages = 0 }
    #expect(quiet.level == .good)
    #expect(quiet.headline == "All is well. No message came in the last minute.")
    #expect(
      Self.health {
        $0.rates.messages = 0; $0.connection.messages = 0
      }.headline.contains("yet"))
  }

  @Test(arguments: [GatewayStatus.Phase.starting, .recovering, .stopping])
  func `What is no error but no service either asks for attention`(phase: GatewayStatus.Phase) {
    let health = Self.health {
      $0.phase = phase; $0.connection.state = .connecting
    }
    #expect(health.level == .attention)
    #expect(health.details.isEmpty)
  }

  @Test func `A connection that is away is bad only after some seconds, and says why`() {
    let moment = Self.health {
      $0.connection.state = .away(sinceMs: 995_001, reason: "gone")
    }
    #expect(moment.level == .attention)
    #expect(moment.headline == "Connecting to the broker at broker:1883.")
    let away = Self.health {
      let reason = "cannot connect to the broker at broker:1883: Connection refused"
      $0.connection.state = .away(sinceMs: 995_000, reason: reason)
    }
    #expect(away.level == .bad)
    #expect(
      away.headline == "Not connected: cannot connect to the broker at broker:1883: Connection refused.")
  }

  @Test func `A low disk is the headline, and the connection it costs is not told twice`() {
    let health = Self.health {
      $0.connection.state = .noRoom(freeBytes: 5 << 20)
      $0.reload = .init(isGood: false, doneAtMs: 1)
    }
    #expect(health.level == .bad)
    #expect(health.headline.hasPrefix("The disk has less than 256 MiB free"))
    #expect(health.details == ["The last reload of the settings failed; the old ones hold."])
  }

  @Test func `Ingest that stands still and a refused subscription are bad`() {
    #expect(Self.health { $0.connection.silentForMs = 10_001 }.level == .bad)
    #expect(Self.health { $0.connection.silentForMs = 10_000 }.level == .good)
    let refused = Self.health { $0.connection.state = .refused(filters: ["stedi/customer/#"]) }
    #expect(refused.level == .bad)
    #expect(refused.headline.contains("stedi/customer/#"))
    let both = Self.health {
      $0.connection.silentForMs = 10_001; $0.connection.state = .refused(filters: ["stedi/customer/#"])
    }
    #expect(both.headline == "Ingest stands still. Is the disk stuck?")
    #expect(both.details == [refused.headline])
    let noRoom = Self.health {
      $0.connection.silentForMs = 10_001; $0.connection.state = .noRoom(freeBytes: 1)
    }
    #expect(noRoom.headline.hasPrefix("The disk has less than") && noRoom.details == [both.headline])
  }

  @Test func `Memory that is full asks for attention as long as readings are dropped`() {
    func dropped(_ before: Int, _ now: Int) -> GatewayStatus.Health {
      Self.health {
        var point = GatewayStatus.HistoryPoint()
        point.evictedForMemory = before
        $0.history = [point]
        $0.pipeline = .init()
        $0.pipeline?.join.evictedForMemory = now
      }
    }
    #expect(dropped(5, 6).level == .attention)
    // A quarter of an hour later, or after a restart.
    #expect(dropped(6, 6).level == .good)
  }

  @Test func `A lost session is told for a day`() {
    func lost(agoMs: Int64, _ sessionPresent: Bool = false) -> GatewayStatus.Health.Level {
      Self.health {
        $0.nowAtMs = 1_000_000_000
        $0.connection.sinceAtMs = 1_000_000_000 - agoMs
        $0.connection.sessionsLost = 1
        $0.connection.sessionPresent = sessionPresent
      }.level
    }
    #expect(lost(agoMs: 3_600_000) == .attention)
    #expect(lost(agoMs: 24 * 3_600_000) == .good)
    #expect(lost(agoMs: 3_600_000, true) == .good)
  }

  @Test func `An engine far behind and unreadable customer files ask for attention`() {
    #expect(Self.health { $0.journal.positionBytes = (64 << 20) + 1 }.level == .attention)
    #expect(Self.health { $0.journal.positionBytes = 64 << 20 }.level == .good)
    let restart = Self.health {
      $0.reload = .init(isGood: true, doneAtMs: 1, restartKeys: ["mqtt.host", "http.listen"])
    }
    #expect(restart.level == .attention)
    #expect(restart.headline == "Changed, but in force only after a restart: mqtt.host, http.listen.")
    #expect(Self.health { $0.customerFilesAreGood = false }.level == .attention)
    #expect(Self.health { $0.customerFilesAreGood = true }.level == .good)
  }
}
