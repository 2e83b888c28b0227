// How far event time has come, for whoever watches the gateway. Decides nothing.

import Records

extension IntervalJoin {
  // Looked at once a batch, so few enough to cost nothing.
  private static let watchedSerials = 16

  /// The median of the watermarks of the serial numbers that were active last: one device with a wrong clock
  /// does not move it. Nil while none of them has readings of both kinds.
  public var recentWatermark: EventTime? {
    var watermarks: [EventTime] = []
    var place = states.newest
    for _ in 0..<Self.watchedSerials where place != SerialStates.none {
      let state = states.state(place)
      if state.pointee.watermark != .distantPast { watermarks.append(state.pointee.watermark) }
      place = state.pointee.older
    }
    if watermarks.isEmpty { return nil }
    watermarks.sort()
    return watermarks[watermarks.count / 2]
  }
}
