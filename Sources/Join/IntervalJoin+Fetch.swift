// Fetches ahead what adding some readings will look at; the why is in ConsentIndex+Fetch.swift.
//
// Invariant: nothing is changed and nothing decided: without this all is the same, but slower.

import CFastPath
import Records

extension IntervalJoin {
  /// Begins to fetch the readings of some serial numbers, which may have none.
  public func fetch(_ serials: UnsafeBufferPointer<SerialID>) {
    guard settings.pairing == .owner else { return }
    for serial in serials { states.fetchPlace(of: serial.raw) }
    for serial in serials { states.fetchState(of: serial.raw) }
    for serial in serials {
      guard let state = states.find(serial.raw) else { continue }
      state.pointee.accelerometer.fetch()
      state.pointee.stepTrainer.fetch()
    }
  }
}

extension SerialStates {
  fileprivate func fetchPlace(of serial: UInt32) {
    placeOfSerial.withUnsafeBufferPointer { sg_prefetch($0.baseAddress.map { $0 + Int(serial) }) }
  }

  fileprivate func fetchState(of serial: UInt32) {
    guard let state = find(serial) else { return }
    sg_prefetch_bytes(state, MemoryLayout<SerialState>.size)
  }
}

extension ReadingList {
  /// Begins to fetch the end, where readings in the order of time go, and where a search goes first.
  fileprivate func fetch() {
    guard count > 0 else { return }
    let last = chunk(Int(chunkCount) - 1)
    sg_prefetch_bytes(last.elements + Int(last.count) - 1, 2 * MemoryLayout<Element>.stride)
    sg_prefetch(last.elements + Int(last.count) / 2)
    // What is shorter has hardly more lines than these two.
    if last.count > 16 {
      sg_prefetch(last.elements + Int(last.count) / 4)
      sg_prefetch(last.elements + Int(last.count) * 3 / 4)
    }
  }
}
