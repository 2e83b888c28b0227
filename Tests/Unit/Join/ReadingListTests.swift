import Records
import Testing
import TestSupport

@testable import Join

/// A list of readings against a sorted array.
@Suite struct ReadingListTests {
  private static func reading(_ timeMs: Int64, _ distance: Int64) -> StepTrainerReading {
    var record = Record()
    record.time_ms = timeMs
    record.distance = distance
    return StepTrainerReading(record)
  }

  private func expectSame(
    _ list: ReadingList<StepTrainerReading>, _ model: [(Int64, Int64)], from timeMs: Int64 = .min
  ) {
    var cursor = list.cursor(at: timeMs)
    var found: [(Int64, Int64)] = []
    while let next = list.next(&cursor) { found.append((next.timeMs, next.distance)) }
    let expected = model.filter { $0.0 >= timeMs }
    #expect(found.count == expected.count && zip(found, expected).allSatisfy { $0 == $1 })
  }

  @Test(
    arguments: [
      // In order, in reverse, anywhere, and with many equal times.
      (0...0, 1), (0...0, -1), (0...1_000_000, 0), (0...50, 0),
    ] as [(ClosedRange<Int64>, Int64)])
  func `Random operations on thousands of readings do what they do to a sorted array`(
    spread: ClosedRange<Int64>, step: Int64
  ) {
    var random = SeededRandom(seed: testSeed())
    var list = ReadingList<StepTrainerReading>()
    defer { list.free() }
    var model: [(Int64, Int64)] = []
    var place: Int64 = 0
    for round in 0..<8000 {
      place += step
      let (timeMs, distance) = (
        place + Int64.random(in: spread, using: &random), Int64.random(in: -9...9, using: &random)
      )
      let index = model.partitioningIndex { $0 >= (timeMs, distance) }
      let isThere = index < model.count && model[index] == (timeMs, distance)
      #expect(list.contains(Self.reading(timeMs, distance)) == isThere)
      if !isThere {
        list.insert(Self.reading(timeMs, distance))
        model.insert((timeMs, distance), at: index)
      }
      if random.oneIn(500) { remove(&list, &model, &random) }
      #expect(list.count == model.count)
      #expect(list.first?.timeMs == model.first?.0 && list.last?.timeMs == model.last?.0)
      if round % 100 == 0 { expectSame(list, model, from: timeMs - 10) }
    }
    expectSame(list, model)
  }

  private func remove(
    _ list: inout ReadingList<StepTrainerReading>, _ model: inout [(Int64, Int64)],
    _ random: inout SeededRandom
  ) {
    var removed = 0
    let before = model.count
    let cut = random.pick(model.map(\.0))
    switch Int.random(in: 0..<4, using: &random) {
    case 0:
      list.removeFirst(before: cut) { _ in removed += 1 }
      model.removeAll { $0.0 < cut }
    case 1:
      list.removeAll(where: { $0.timeMs >= cut }) { _ in removed += 1 }
      model.removeAll { $0.0 >= cut }
    case 2:
      list.removeAll(where: { $0.distance == 3 }) { _ in removed += 1 }
      model.removeAll { $0.1 == 3 }
    default:
      list.removeAll(where: { _ in true }) { _ in removed += 1 }
      model = []
    }
    #expect(removed == before - model.count)
    expectSame(list, model)
  }

  @Test func `Times at the ends of 64 bits are found`() {
    var list = ReadingList<StepTrainerReading>()
    defer { list.free() }
    let times: [Int64] = [.max, 0, .min, .max - 1, .min + 1]
    for time in times { list.insert(Self.reading(time, 0)) }
    expectSame(list, times.sorted().map { ($0, 0) })
    expectSame(list, times.sorted().map { ($0, 0) }, from: .max)
    list.removeFirst(before: .max) { _ in }
    #expect(list.count == 1 && list.first?.timeMs == .max)
  }
}

extension Array where Element == (Int64, Int64) {
  fileprivate func partitioningIndex(_ belongsInSecond: (Element) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if belongsInSecond(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
