// Bugs that a test plants, where they need more than a switch.

import Pipeline
import Records
import SegmentLog

@testable import Playback

extension PendingCheckpoint {
  /// The same checkpoint, but for the first table that has rows: of that it says that it has none.
  func withoutTablePosition() -> PendingCheckpoint {
    var bytes = Array(content.bytes)
    guard let place = placeOfAPosition(bytes) else { return self }
    bytes.replaceSubrange(place..<place + 24, with: [UInt8](repeating: 0, count: 24))
    let spoiled = PendingCheckpoint()
    spoiled.position = position
    spoiled.tables = tables
    spoiled.content.append(length: bytes.count).copyMemory(from: bytes, byteCount: bytes.count)
    return spoiled
  }

  // In the section of the positions: for each table its name and three sums (Engine.encodePositions).
  private func placeOfAPosition(_ bytes: [UInt8]) -> Int? {
    var place = 0
    while !bytes[place...].starts(with: "TABL".utf8) { place += 12 + integer(bytes, place + 4, bytes: 8) }
    place += 12
    let count = integer(bytes, place, bytes: 8)
    place += 8
    for _ in 0..<count {
      place += 4 + integer(bytes, place, bytes: 4)
      if integer(bytes, place + 16, bytes: 8) > 0 { return place }
      place += 24
    }
    return nil
  }

  private func integer(_ all: [UInt8], _ place: Int, bytes: Int) -> Int {
    all[place..<place + bytes].reversed().reduce(0) { $0 << 8 | Int($1) }
  }
}

extension Simulation {
  /// The filter of a gateway that does not remember what it journaled.
  func forgetRedeliveries(_ recovered: Recovered) {
    let lastContactMs = recovered.redeliveries.lastContactMs
    recovered.redeliveries = RedeliveryFilter()
    recovered.redeliveries.lastContactMs = lastContactMs
  }
}
