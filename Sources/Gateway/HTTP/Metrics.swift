// The status as Prometheus reads it: text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats).
//
// Invariants:
// - Units are base units, sums end in `_total`, and every metric has HELP and TYPE.
// - No label takes a value from outside: kinds, verdicts, tables and reasons are the program's own.
// - What is not known yet has no sample: a sum that began at 0 and jumped would look like traffic.

import Pipeline
import Records

/// A metric's text, sample by sample.
struct Metrics {
  private(set) var text = ""

  enum Kind: String {
    case counter, gauge
  }

  /// - Parameter samples: labels as they are written, without braces, and the value; none leaves the metric out.
  mutating func add(
    _ name: String, _ kind: Kind, _ help: String, _ samples: [(labels: String, value: Double)]
  ) {
    if samples.isEmpty { return }
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    for (labels, value) in samples {
      text += labels.isEmpty ? name : "\(name){\(labels)}"
      text += " \(Self.number(value))\n"
    }
  }

  mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: Double?) {
    add(name, kind, help, value.map { [("", $0)] } ?? [])
  }

  mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: Int) {
    add(name, kind, help, Double(value))
  }

  mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: Bool?) {
    add(name, kind, help, value.map { $0 ? 1 : 0 })
  }

  // A whole number without ".0" and without an exponent, as far as `Double` holds whole numbers exactly.
  private static func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 9e15 ? "\(Int64(value))" : "\(value)"
  }
}

extension GatewayStatus {
  /// The body of /metrics.
  var metrics: String {
    var metrics = Metrics()
    metrics.add(
      "stepgate_build_info", .gauge, "1, with the version of the program.", [("version=\"\(version)\"", 1)])
    addConnection(to: &metrics)
    if let pipeline {
      pipeline.add(to: &metrics)
      addFiles(to: &metrics)
    }
    addMachine(to: &metrics)
    return metrics.text
  }

  private func addConnection(to metrics: inout Metrics) {
    metrics.add(
      "stepgate_mqtt_connected", .gauge, "Whether the gateway is connected and subscribed.",
      connection.isSubscribed)
    metrics.add(
      "stepgate_mqtt_connects_total", .counter, "Connections that were made and subscribed.",
      connection.connects)
    metrics.add(
      "stepgate_mqtt_messages_received_total", .counter, "Messages from the broker.", connection.messages)
    metrics.add(
      "stepgate_mqtt_messages_redelivered_total", .counter,
      "Messages that came again and were in the journal already.", connection.redelivered)
    metrics.add(
      "stepgate_mqtt_sessions_lost_total", .counter, "How often the broker had forgotten the session.",
      connection.sessionsLost)
  }

  private func addFiles(to metrics: inout Metrics) {
    metrics.add(
      "stepgate_journal_position_bytes", .gauge,
      "The journal's position below which all is on stable storage.",
      journal.positionBytes)
    metrics.add(
      "stepgate_journal_played_position_bytes", .gauge, "The journal's position below which all is judged.",
      journal.playedPositionBytes)
    metrics.add(
      "stepgate_journal_size_bytes", .gauge, "What is kept of the journal on disk.", journal.sizeBytes)
    metrics.add(
      "stepgate_checkpoint_timestamp_seconds", .gauge,
      "When the newest checkpoint of this process was written, since 1970-01-01 UTC.",
      checkpoint.writtenAtMs.map { Double($0) / 1000 })
    metrics.add(
      "stepgate_checkpoint_position_bytes", .gauge, "The journal's position that a restart would play from.",
      checkpoint.positionBytes)
  }

  private func addMachine(to metrics: inout Metrics) {
    metrics.add(
      "stepgate_disk_free_bytes", .gauge, "What is free on the volume of storage.directory.", disk.freeBytes)
    metrics.add(
      "stepgate_disk_reserve_bytes", .gauge, "What is to stay free (storage.min_free_bytes).",
      disk.reserveBytes)
    metrics.add(
      "stepgate_disk_low", .gauge, "Whether less is free than is to stay free: then nothing is taken in.",
      disk.isLow)
    metrics.add(
      "stepgate_reload_successful", .gauge, "Whether the last reload of the settings succeeded.",
      reload?.isGood)
    metrics.add(
      "stepgate_reload_timestamp_seconds", .gauge,
      "When the settings were last reloaded, since 1970-01-01 UTC.", reload.map { Double($0.doneAtMs) / 1000 }
    )
    metrics.add(
      "stepgate_customer_files_good", .gauge, "Whether the customer files could be read when they were last.",
      customerFilesAreGood)
    metrics.add(
      "process_resident_memory_bytes", .gauge, "Resident memory size in bytes.", process.residentBytes)
    metrics.add(
      "process_cpu_seconds_total", .counter, "Total user and system CPU time spent in seconds.",
      process.cpuSeconds)
    metrics.add("process_open_fds", .gauge, "Number of open file descriptors.", process.openFiles)
    metrics.add(
      "process_start_time_seconds", .gauge, "Start time of the process since unix epoch in seconds.",
      Double(startedAtMs) / 1000)
  }
}

extension GatewayStatus.Pipeline {
  private typealias Sample = (labels: String, value: Double)

  fileprivate func add(to metrics: inout Metrics) {
    let kinds = RecordKind.allCases
    let received: [Sample] = kinds.map { kind in
      ("kind=\"\(kind.name)\"", Double(records[kind.name]?.received ?? 0))
    }
    metrics.add(
      "stepgate_records_received_total", .counter,
      "Records, over all restarts: the sum is restored from the checkpoint.", received)
    let judged: [Sample] = kinds.flatMap { kind in
      Verdict.possible(for: kind).map { verdict in
        let count = records[kind.name]?.verdicts[verdict.name] ?? 0
        return ("kind=\"\(kind.name)\",verdict=\"\(verdict.name)\"", Double(count))
      }
    }
    metrics.add(
      "stepgate_records_judged_total", .counter, "Verdicts, over all restarts; received = judged + held.",
      judged)
    metrics.add(
      "stepgate_records_held", .gauge,
      "Step trainer readings that wait for their claimant's first accelerometer reading.", held)
    let rows: [Sample] = Table.allCases.compactMap { table in
      tables[table.name].map { ("table=\"\(table.name)\"", Double($0)) }
    }
    metrics.add("stepgate_table_rows_total", .counter, "Rows of each table, over all restarts.", rows)
    metrics.add("stepgate_customers", .gauge, "Customers in the consent index.", customers)
    addJoin(to: &metrics)
  }

  private func addJoin(to metrics: inout Metrics) {
    metrics.add(
      "stepgate_watermark_lag_seconds", .gauge,
      "How far event time is behind the clock, with the serial numbers that were active last.",
      watermarkLagMs.map { Double($0) / 1000 })
    metrics.add("stepgate_join_readings", .gauge, "Readings in the join's state.", join.readings)
    metrics.add(
      "stepgate_join_evicted_total", .counter,
      "Readings that left the join: by age, with an idle serial number, or for want of memory.",
      [
        ("reason=\"age\"", Double(join.evictedByAge)), ("reason=\"idle\"", Double(join.evictedIdle)),
        ("reason=\"memory\"", Double(join.evictedForMemory)),
      ])
    metrics.add(
      "stepgate_join_late_total", .counter,
      "Readings that came later than join.allowed_lateness and may have missed a partner.", join.late)
  }
}
