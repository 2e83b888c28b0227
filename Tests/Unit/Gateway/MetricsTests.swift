import Foundation
import Pipeline
import Playback
import Records
import Testing
import TestSupport

@testable import Gateway

@Suite struct MetricsTests {
  /// A gateway about which everything is known.
  private static func full() -> GatewayStatus {
    var counts = VerdictCounts()
    counts.receive(.accelerometer, 5)
    counts.judge(.accelerometer, .trusted, 4)
    counts.judge(.accelerometer, .noConsent)
    counts.receive(.stepTrainer, 3)
    counts.judge(.stepTrainer, .held, 3)
    var engine = PipelineStatus()
    engine.counts = counts
    engine.rows = [.accelerometerTrusted: 4, .machineLearningCurated: 0]
    engine.joinCounts.evictedForMemory = 2
    engine.watermark = EventTime(ms: 8_500)
    engine.position = 90
    engine.checkpointPosition = 40
    engine.checkpointMs = 9_250
    var status = GatewayStatus()
    status.phase = .running
    status.startedAtMs = 1_500
    status.nowAtMs = 10_000
    status.add(engine, startCheckpointPosition: 0)
    status.connection.messages = 12_345_678
    status.connection.isSubscribed = true
    status.reload = .init(isGood: false, doneAtMs: 7_000)
    status.customerFilesAreGood = true
    status.process.cpuSeconds = 0.125
    return status
  }

  private static let names = [
    "stepgate_build_info", "stepgate_mqtt_connected", "stepgate_mqtt_connects_total",
    "stepgate_mqtt_messages_received_total", "stepgate_mqtt_messages_redelivered_total",
    "stepgate_mqtt_sessions_lost_total", "stepgate_records_received_total", "stepgate_records_judged_total",
    "stepgate_records_held", "stepgate_table_rows_total", "stepgate_customers",
    "stepgate_watermark_lag_seconds", "stepgate_join_readings", "stepgate_join_evicted_total",
    "stepgate_join_late_total", "stepgate_journal_position_bytes", "stepgate_journal_played_position_bytes",
    "stepgate_journal_size_bytes", "stepgate_checkpoint_timestamp_seconds",
    "stepgate_checkpoint_position_bytes", "stepgate_disk_free_bytes", "stepgate_disk_reserve_bytes",
    "stepgate_disk_low", "stepgate_reload_successful", "stepgate_reload_timestamp_seconds",
    "stepgate_customer_files_good", "process_resident_memory_bytes", "process_cpu_seconds_total",
    "process_open_fds", "process_start_time_seconds",
  ]

  private static func described(_ text: String, as word: String) -> [String] {
    text.split(separator: "\n").filter { $0.hasPrefix("# \(word) ") }.map {
      String($0.split(separator: " ")[2])
    }
  }

  @Test func `Every metric is there once, with HELP and TYPE`() {
    let text = Self.full().metrics
    #expect(Self.described(text, as: "HELP") == Self.names)
    #expect(Self.described(text, as: "TYPE") == Self.names)
    for line in text.split(separator: "\n") where line.contains("_total ") && line.hasPrefix("# TYPE") {
      #expect(line.hasSuffix(" counter"))
    }
  }

  @Test(arguments: [
    #"stepgate_build_info{version="0.1.0"} 1"#, "stepgate_mqtt_connected 1",
    "stepgate_mqtt_messages_received_total 12345678",
    #"stepgate_records_received_total{kind="accelerometer"} 5"#,
    #"stepgate_records_received_total{kind="unknown"} 0"#,
    #"stepgate_records_judged_total{kind="accelerometer",verdict="trusted"} 4"#,
    #"stepgate_records_judged_total{kind="accelerometer",verdict="no_consent"} 1"#,
    #"stepgate_records_judged_total{kind="step_trainer",verdict="no_accelerometer"} 0"#,
    "stepgate_records_held 3", #"stepgate_table_rows_total{table="accelerometer_trusted"} 4"#,
    "stepgate_watermark_lag_seconds 1.5", #"stepgate_join_evicted_total{reason="memory"} 2"#,
    "stepgate_journal_played_position_bytes 90", "stepgate_checkpoint_timestamp_seconds 9.25",
    "stepgate_checkpoint_position_bytes 40", "stepgate_reload_successful 0",
    "stepgate_reload_timestamp_seconds 7", "stepgate_customer_files_good 1",
    "process_cpu_seconds_total 0.125",
    "process_start_time_seconds 1.5",
  ])
  func `Values are those of the status, in base units`(line: String) {
    #expect(Self.full().metrics.split(separator: "\n").contains { $0 == line })
  }

  @Test func `What is not known yet has no sample, so that no sum jumps when it is`() {
    let text = GatewayStatus().metrics
    for name in ["records", "table_rows", "watermark", "journal", "checkpoint", "reload", "customer_files"] {
      #expect(!text.contains("stepgate_\(name)"))
    }
    #expect(text.contains("stepgate_mqtt_connected 0\n"))
  }

  @Test(
    .enabled(
      if: FileManager.default.isExecutableFile(atPath: "/usr/bin/promtool"), "promtool is missing: make deps")
  )
  func `promtool finds nothing to say`() throws {
    for text in [Self.full().metrics, GatewayStatus().metrics] {
      let folder = try ScratchFolder()
      let path = "\(folder.path)/metrics"
      try text.write(toFile: path, atomically: true, encoding: .utf8)
      let promtool = try ChildProcess("/usr/bin/promtool", ["check", "metrics"], inputFile: path)
      #expect(try promtool.waitForExit() == .exited(0))
      #expect(promtool.lines(of: .error) == [])
      #expect(promtool.lines(of: .output) == [])
    }
  }
}
