// The table of all figures, in the order of /metrics.
//
// Invariants:
// - A metric's name never changes its meaning: it is in people's dashboards and alerts.
// - No label takes a value from outside: kinds, verdicts, tables and reasons are the program's own.

import Pipeline
import Records

extension Figure {
  static let all: [Figure] = [
    Figure(
      metric: "stepgate_build_info", help: "1, with the version of the program.",
      path: "version", samples: { [("version=\"\($0.version)\"", 1)] }),

    Figure(
      "stepgate_mqtt_connected", "Whether the gateway is connected and subscribed.",
      "connection.is_subscribed", \.connection.isSubscribed),
    Figure(
      "stepgate_mqtt_connects_total", "Connections that were made and subscribed.",
      "connection.connects", \.connection.connects, in: .connection, page: "Connections made"),
    Figure(
      "stepgate_mqtt_messages_received_total", "Messages from the broker.",
      "connection.messages", \.connection.messages, in: .messages, page: "Messages", terminal: "% in all"),
    Figure(
      "stepgate_mqtt_messages_redelivered_total",
      "Messages that came again and were in the journal already.",
      "connection.redelivered", \.connection.redelivered, in: .messages, page: "Sent again",
      terminal: "% sent again"),
    Figure(
      "stepgate_mqtt_sessions_lost_total", "How often the broker had forgotten the session.",
      "connection.sessions_lost", \.connection.sessionsLost, in: .connection, page: "Sessions lost",
      warns: true, terminal: "% sessions lost"),

    Figure(
      metric: "stepgate_records_received_total",
      help: "Records, over all restarts: the sum is restored from the checkpoint.",
      path: "pipeline.records", samples: { $0.pipeline?.receivedSamples ?? [] }),
    Figure(
      metric: "stepgate_records_judged_total", help: "Verdicts, over all restarts; received = judged + held.",
      path: "pipeline.records", samples: { $0.pipeline?.judgedSamples ?? [] }),
    Figure(
      "stepgate_records_held",
      "Step trainer readings that wait for their claimant's first accelerometer reading.",
      "pipeline.held", \.pipeline?.held, in: .join, page: "Held readings", terminal: "% held"),
    Figure(
      metric: "stepgate_table_rows_total", help: "Rows of each table, over all restarts.",
      path: "pipeline.tables", samples: { $0.pipeline?.tableSamples ?? [] }),
    Figure(
      "stepgate_customers", "Customers in the consent index.",
      "pipeline.customers", \.pipeline?.customers, in: .customers, page: "Customers", terminal: "%"),

    Figure(
      "stepgate_watermark_lag_seconds",
      "How far event time is behind the clock, with the serial numbers that were active last.",
      "pipeline.watermark_lag_ms", \.pipeline?.watermarkLagMs, .duration, in: .joinState,
      terminal: "watermark % behind"),
    Figure(
      "stepgate_join_readings", "Readings in the join's state.",
      "pipeline.join.readings", \.pipeline?.join.readings, in: .joinState, terminal: "% readings"),
    Figure(
      #"stepgate_join_evicted_total{reason="age"}"#, evictedHelp,
      "pipeline.join.evicted_by_age", \.pipeline?.join.evictedByAge, in: .evicted, page: "Left by age",
      terminal: "% by age"),
    Figure(
      #"stepgate_join_evicted_total{reason="idle"}"#, evictedHelp,
      "pipeline.join.evicted_idle", \.pipeline?.join.evictedIdle, in: .evicted, page: "Left when idle",
      terminal: "% idle"),
    Figure(
      #"stepgate_join_evicted_total{reason="memory"}"#, evictedHelp,
      "pipeline.join.evicted_for_memory", \.pipeline?.join.evictedForMemory, in: .evicted,
      page: "Dropped for memory", warns: true, terminal: "% for memory"),
    Figure(
      "stepgate_join_late_total",
      "Readings that came later than join.allowed_lateness and may have missed a partner.",
      "pipeline.join.late", \.pipeline?.join.late, in: .join, page: "Late", terminal: "% late"),

    // A position is shown to the byte, as a count.
    Figure(
      "stepgate_journal_position_bytes", "The journal's position below which all is on stable storage.",
      "journal.position_bytes", \.journal.positionBytes, in: .positions, page: "Durable up to"),
    Figure(
      "stepgate_journal_played_position_bytes", "The journal's position below which all is judged.",
      "journal.played_position_bytes", \.journal.playedPositionBytes),
    Figure(
      "stepgate_journal_size_bytes", "What is kept of the journal on disk.",
      "journal.size_bytes", \.journal.sizeBytes, .bytes, in: .journal, page: "Journal on disk",
      terminal: "% on disk"),
    Figure(
      "stepgate_checkpoint_timestamp_seconds",
      "When the newest checkpoint of this process was written, since 1970-01-01 UTC.",
      "checkpoint.written_at_ms", \.checkpoint.writtenAtMs, .time),
    Figure(
      "stepgate_checkpoint_position_bytes", "The journal's position that a restart would play from.",
      "checkpoint.position_bytes", \.checkpoint.positionBytes),

    Figure(
      "stepgate_disk_free_bytes", "What is free on the volume of storage.directory.",
      "disk.free_bytes", \.disk.freeBytes, .bytes, in: .disk, page: "Disk free", terminal: "% free"),
    Figure(
      "stepgate_disk_reserve_bytes", "What is to stay free (storage.min_free_bytes).",
      "disk.reserve_bytes", \.disk.reserveBytes, .bytes, in: .disk, page: "Kept free",
      terminal: "% are to stay free"),
    Figure(
      "stepgate_disk_low", "Whether less is free than is to stay free: then nothing is taken in.",
      "disk.is_low", \.disk.isLow),
    Figure(
      "stepgate_reload_successful", "Whether the last reload of the settings succeeded.",
      "reload.is_good", \.reload?.isGood),
    Figure(
      "stepgate_reload_timestamp_seconds", "When the settings were last reloaded, since 1970-01-01 UTC.",
      "reload.done_at_ms", \.reload?.doneAtMs, .time),
    Figure(
      "stepgate_customer_files_good", "Whether the customer files could be read when they were last.",
      "customer_files_are_good", \.customerFilesAreGood),

    // Named as Prometheus's own clients name them.
    Figure(
      "process_resident_memory_bytes", "Resident memory size in bytes.",
      "process.resident_bytes", \.process.residentBytes, .bytes, in: .process, terminal: "% resident"),
    Figure(
      "process_cpu_seconds_total", "Total user and system CPU time spent in seconds.",
      "process.cpu_seconds", \.process.cpuSeconds, .seconds, in: .process, terminal: "% of CPU"),
    Figure("process_open_fds", "Number of open file descriptors.", "process.open_files", \.process.openFiles),
    Figure(
      "process_start_time_seconds", "Start time of the process since unix epoch in seconds.",
      "started_at_ms", \.startedAtMs, .time),
  ]

  private static let evictedHelp =
    "Readings that left the join: by age, with an idle serial number, or for want of memory."
}

extension GatewayStatus.Pipeline {
  fileprivate var receivedSamples: Figure.Samples {
    RecordKind.allCases.map { ("kind=\"\($0.name)\"", Double(records[$0.name]?.received ?? 0)) }
  }

  fileprivate var judgedSamples: Figure.Samples {
    RecordKind.allCases.flatMap { kind in
      Verdict.possible(for: kind).map {
        ("kind=\"\(kind.name)\",verdict=\"\($0.name)\"", Double(records[kind.name]?.verdicts[$0.name] ?? 0))
      }
    }
  }

  fileprivate var tableSamples: Figure.Samples {
    Table.allCases.compactMap { table in tables[table.name].map { ("table=\"\(table.name)\"", Double($0)) } }
  }
}
