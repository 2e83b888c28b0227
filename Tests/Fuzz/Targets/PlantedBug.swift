// A bug for each target, to show that it finds one ("fuzz.sh short" plants them). They are planted in what the
// targets look at, not in the product. No seed reaches any of them: mutations must.

import Glibc
import TestSupport

enum PlantedBug {
  static let isPlanted = getenv("STEPGATE_FUZZ_CANARY") != nil

  /// payload: of lines that are parsed together, those with a NUL are lost.
  static func spoil(_ records: inout [ParsedRecord]) {
    if isPlanted { records.removeAll { $0.text.contains(0) } }
  }

  /// journal: the reader passes over beginnings of sessions that have a packet id.
  static func spoil(_ entries: inout [JournalRunEntry]) {
    if isPlanted { entries.removeAll { $0.kind == .sessionGap && $0.packetID != 0 } }
  }

  /// segment: a tail passes over empty rows.
  static func spoil(_ rows: inout [Row]) {
    if isPlanted { rows.removeAll { $0.count == 1 } }
  }

  /// checkpoint: the settings in force are forgotten; those at the start are used.
  static func spoil(_ inForce: inout ScriptSettings, initial: ScriptSettings) {
    if isPlanted { inForce = initial }
  }
}
