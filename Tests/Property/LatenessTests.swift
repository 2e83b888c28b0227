import Pipeline
import Testing
import TestSupport

/// What a user may rely on when readings come late, said without eviction: the oracle of the other tests
/// evicts as the engine does, and might share a mistake with it.
@Suite struct LatenessTests {
  private struct Arrival {
    let isAccelerometer: Bool
    let timeMs: Int64
    let customer: Int
  }

  private static let latenessMs: Int64 = 30
  private static let toleranceMs: Int64 = 6

  // Three customers of two serial numbers: the first two share one.
  private func serial(_ customer: Int) -> Int { customer / 2 }

  private func message(_ arrival: Arrival, _ arrivalMs: Int64) -> Message {
    arrival.isAccelerometer
      ? Message(
        .accelerometer,
        "{\"user\":\"c\(arrival.customer)\",\"timestamp\":\(arrival.timeMs),\"x\":1,\"y\":2,\"z\":3}",
        arrivalMs: arrivalMs)
      : Message(
        .stepTrainer,
        "{\"sensorReadingTime\":\(arrival.timeMs),\"serialNumber\":\"s\(serial(arrival.customer))\","
          + "\"distanceFromObject\":4}", arrivalMs: arrivalMs)
  }

  private func pair(_ trainer: Arrival, _ meter: Arrival) -> String {
    "{\"sensorReadingTime\":\(trainer.timeMs),\"serialNumber\":\"s\(serial(trainer.customer))\","
      + "\"distanceFromObject\":4,\"user\":\"c\(meter.customer)\",\"timestamp\":\(meter.timeMs),\"x\":1,\"y\":2,\"z\":3}"
  }

  private func arrivals(_ random: inout SeededRandom) -> [Arrival] {
    var clock: Int64 = 1000
    var seen: Set<String> = []
    return (0..<200).compactMap { _ in
      clock += Int64.random(in: 0...3, using: &random)
      let delay =
        random.oneIn(4) ? Int64.random(in: 0...90, using: &random) : Int64.random(in: 0...10, using: &random)
      let arrival = Arrival(
        isAccelerometer: random.oneIn(2), timeMs: clock - delay,
        customer: Int.random(in: 0..<3, using: &random))
      let key = arrival.isAccelerometer ? "a\(arrival.customer)" : "s\(serial(arrival.customer))"
      return seen.insert("\(key) \(arrival.timeMs)").inserted ? arrival : nil
    }
  }

  /// The pairs whose later reading came within the lateness, and all pairs there are.
  private func pairs(_ arrivals: [Arrival]) -> (promised: Set<String>, possible: Set<String>) {
    var promised: Set<String> = []
    var possible: Set<String> = []
    for (place, late) in arrivals.enumerated() {
      let before = arrivals[..<place].filter { serial($0.customer) == serial(late.customer) }
      let latest = [true, false].map { side in
        before.filter { $0.isAccelerometer == side }.map(\.timeMs).max() ?? .min / 2
      }
      let isPromised = late.timeMs >= min(latest[0], latest[1]) - Self.latenessMs
      for early in before where early.isAccelerometer != late.isAccelerometer {
        guard abs(early.timeMs - late.timeMs) <= Self.toleranceMs else { continue }
        let row = late.isAccelerometer ? pair(early, late) : pair(late, early)
        possible.insert(row)
        if isPromised { promised.insert(row) }
      }
    }
    return (promised, possible)
  }

  @Test func `Never a wrong pair, never one twice, and each whose readings come within the lateness`() throws
  {
    let seed = testSeed()
    var (missed, evicted) = (0, 0)
    for number in 0..<UInt64(100) {
      var random = SeededRandom(seed: seed &+ number)
      let arrivals = arrivals(&random)
      var settings = EngineSettings()
      settings.join.toleranceMs = Self.toleranceMs
      settings.join.allowedLatenessMs = Self.latenessMs
      let run = try PipelineRun(settings)
      try run.handle(
        (0..<3).map {
          Message(
            .customer,
            "{\"email\":\"c\($0)\",\"serialNumber\":\"s\(serial($0))\",\"shareWithResearchAsOfDate\":1}")
        })
      // All are curated before the first reading that counts, so that none has to be held.
      try run.handle((0..<3).map { message(Arrival(isAccelerometer: true, timeMs: 1, customer: $0), 1000) })
      for (place, arrival) in arrivals.enumerated() {
        try run.handle([message(arrival, 1001 + Int64(place) * 3)])
      }
      let (promised, possible) = pairs(arrivals)
      let rows = try run.rows(of: .machineLearningCurated)
      #expect(Set(rows).count == rows.count, "seed \(seed &+ number)")
      #expect(possible.isSuperset(of: rows), "seed \(seed &+ number)")
      #expect(promised.isSubset(of: rows), "seed \(seed &+ number)")
      missed += possible.count - rows.count
      evicted += run.engine.joinCounts.evictedByAge
    }
    // Else the lateness would not have been tested.
    #expect(missed > 0 && evicted > 0)
  }
}
