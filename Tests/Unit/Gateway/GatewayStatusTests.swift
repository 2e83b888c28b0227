import Foundation
import Playback
import Records
import Testing

@testable import Gateway

@Suite struct GatewayStatusTests {
  @Test func `JSON has names in snake case and reads back as it was`() throws {
    var status = GatewayStatus()
    status.nowAtMs = 1_700_000_000_000
    status.phase = .running
    status.connection.lastError = "a \"quote\""
    status.connection.refusedFilters = ["a/#"]
    status.add(PipelineStatus(), startCheckpointPosition: 7)
    status.reload = .init(isGood: true, doneAtMs: 5, restartKeys: ["mqtt.host"])
    status.history = [.init()]
    status.curated = [
      .init(
        sensorReadingTime: 1, distanceFromObject: 2, device: "00ab", customer: "00cd", timestamp: 3, x: 0.1,
        y: 0,
        z: -1)
    ]
    let json = String(decoding: status.json, as: UTF8.self)
    #expect(json.hasSuffix("}\n"))
    #expect(json.filter { $0 == "\n" }.count == 1)
    for name in [
      "now_at_ms", "is_subscribed", "max_memory_bytes", "step_trainer", "no_accelerometer",
    ] {
      #expect(json.contains("\"\(name)\":"))
    }
    #expect(GatewayStatus(json: status.json) == status)
    #expect(GatewayStatus(json: Array("[]".utf8)) == nil)
  }

  @Test func `The lag of any event time is a number`() {
    for ms in [Int64.min, 0, .max] {
      var engine = PipelineStatus()
      engine.watermark = EventTime(ms: ms)
      var status = GatewayStatus()
      status.nowAtMs = 1_700_000_000_000
      status.add(engine, startCheckpointPosition: 0)
      #expect(status.pipeline?.watermarkLagMs != nil)
    }
  }

  @Test func `A gateway is ready when messages come, and says what is wrong when they do not`() {
    var status = GatewayStatus()
    status.connection.broker = "b:1"
    func reason() -> String? {
      status.health = GatewayStatus.Health(of: status)
      return status.notReadyReason
    }
    #expect(reason() == "Starting.")
    status.phase = .recovering
    #expect(reason() == "Playing the journal; it connects to the broker afterwards.")
    status.phase = .running
    #expect(reason() == "Connecting to the broker at b:1.")
    status.connection.state = .subscribed
    #expect(reason() == nil)
    status.connection.state = .refused(filters: ["f"])
    #expect(reason() == nil)
    status.connection.state = .noRoom(freeBytes: 1)
    #expect(reason()?.contains("Nothing is taken in; the broker keeps the messages.") == true)
    status.phase = .stopping
    #expect(reason() == "Stopping; the broker keeps the messages.")
  }

  @Test func `The figures of a process are those of this one`() {
    let figures = GatewayStatus.Process.current()
    #expect(figures.residentBytes > 1 << 20)
    #expect(figures.openFiles >= 3)
    #expect(figures.cpuSeconds > 0)
  }
}
