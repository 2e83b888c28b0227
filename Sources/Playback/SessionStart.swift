// The beginning of a session with the broker, as a journal entry: packet ids start anew, and what the broker
// took for the session before may be lost.
//
// Format: the payload is empty for the first session there ever was; else it is one Int64, little-endian: when
// the session before was last known to exist. The entry's own time is when the new one began.

import Journal
import Pipeline

/// Makes and reads the entry.
public enum SessionStart {
  /// - Parameter lastContactMs: of the session before; nil: there was none.
  public static func append(lastContactMs: Int64?, arrivalMs: Int64, to entries: EntryBuffer) {
    let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
    guard let lastContactMs else {
      return entries.append(kind: .sessionGap, arrivalMs: arrivalMs, topic: nothing, payload: nothing)
    }
    withUnsafeBytes(of: lastContactMs.littleEndian) { bytes in
      entries.append(kind: .sessionGap, arrivalMs: arrivalMs, topic: nothing, payload: bytes)
    }
  }

  static func gap(of entry: EntryView) -> SessionGap? {
    guard entry.payload.count == MemoryLayout<Int64>.size else { return nil }
    let fromMs = Int64(littleEndian: entry.payload.loadUnaligned(as: Int64.self))
    return SessionGap(fromMs: fromMs, toMs: entry.arrivalMs)
  }
}
