// The settings of one life of the simulated gateway, and their text in the journal.

import Pipeline
import Playback
import Records
import TestSupport

/// What an operator chose for one life of the gateway.
struct GatewaySettings: Equatable {
  /// How tables are cut into segments. Not journaled: it changes no row.
  struct Layout: Equatable {
    var segmentBytes = 1_000
    var segmentAgeMs: Int64?
  }

  var results: OracleSettings
  var landing = false
  var layout = Layout()

  init(_ results: OracleSettings) { self.results = results }

  /// As the journal holds them.
  var text: [UInt8] {
    let eviction = results.eviction ?? .init(latenessMs: 0, retentionMs: 0, idleMs: 0)
    let numbers: [Int64] = [
      results.enforcesDates ? 1 : 0, landing ? 1 : 0, results.toleranceMs, results.futureSkewMs ?? 0,
      eviction.latenessMs, eviction.retentionMs, eviction.idleMs,
    ]
    return Array(numbers.map(String.init).joined(separator: ",").utf8)
  }

  /// Reads what `text` gave.
  init?(text: [UInt8]) {
    let numbers = String(decoding: text, as: UTF8.self).split(separator: ",").compactMap { Int64($0) }
    guard numbers.count == 7 else { return nil }
    results = OracleSettings()
    results.enforcesDates = numbers[0] == 1
    landing = numbers[1] == 1
    results.toleranceMs = numbers[2]
    results.futureSkewMs = numbers[3]
    results.eviction = .init(latenessMs: numbers[4], retentionMs: numbers[5], idleMs: numbers[6])
  }

  func player(_ router: TopicRouter) -> PlayerSettings {
    PlayerSettings(engine: EngineSettings(self), router: router)
  }

  /// Reads a settings entry for a gateway that cuts its tables in this way.
  static func reader(_ router: TopicRouter, _ layout: Layout) -> SettingsReader {
    return { (text) throws(UnreadableSettings) in
      guard var settings = GatewaySettings(text: Array(text)) else {
        throw UnreadableSettings("not of this simulation")
      }
      settings.layout = layout
      return settings.player(router)
    }
  }
}

extension EngineSettings {
  init(_ settings: GatewaySettings) {
    self.init()
    consent = settings.results.enforcesDates ? .enforce : .presence
    join.toleranceMs = settings.results.toleranceMs
    if let eviction = settings.results.eviction {
      join.allowedLatenessMs = eviction.latenessMs
      join.retentionMs = eviction.retentionMs
      join.idleMs = eviction.idleMs
    }
    futureSkewMs = settings.results.futureSkewMs
    landing = settings.landing
    live = true
    segmentBytes = settings.layout.segmentBytes
    segmentAgeMs = settings.layout.segmentAgeMs
  }
}
