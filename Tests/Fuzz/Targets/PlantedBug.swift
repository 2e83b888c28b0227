// A bug for each target, to show that it finds one ("fuzz.sh short" plants them). They are planted in what the
// targets look at, not in the product. No seed reaches any of them: mutations must.

import Glibc
import Records
import TestSupport

enum PlantedBug {
  static let isPlanted = getenv("STEPGATE_FUZZ_CANARY") != nil

  /// payload: of lines that are parsed together, those with a NUL are lost.
  static func spoil(_ records: inout [ParsedRecord]) {
    if isPlanted { records.removeAll { $0.text.contains(0) } }
  }

  /// journal: the reader passes over entries with a packet id above 7.
  static func spoil(_ entries: inout [JournalRunEntry]) {
    if isPlanted { entries.removeAll { $0.packetID > 7 } }
  }

  /// segment: a tail passes over rows that are no objects.
  static func spoil(_ rows: inout [Row]) {
    if isPlanted { rows.removeAll { $0.first != UInt8(ascii: "{") } }
  }

  /// checkpoint: one entry behind it is passed over if somebody in it refused consent.
  static func spoil(_ nextEntry: inout Int, _ counts: VerdictCounts) {
    if isPlanted && counts[.customer, .notConsenting] > 0 { nextEntry += 1 }
  }
}
