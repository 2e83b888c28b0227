// What came and went by time: rates over the last minute, and the points of the page's plots.
//
// Invariants: rates are differences of sums, so that nothing is counted for them where the work is done; memory is
// bounded by `minute` and `points`.

/// The sums at one moment.
struct StatusSample {
  /// By a clock that never runs backwards.
  var atMs: Int
  var messages = 0
  var records = 0
  var pairs = 0
}

struct StatusHistory {
  static let pointMs = 5_000
  static let points = 180
  private static let minuteMs = 60_000

  private var minute: [StatusSample] = []
  private var lastPoint: StatusSample?
  private(set) var history: [GatewayStatus.HistoryPoint] = []

  /// Takes the sums, about once a second.
  mutating func add(_ sample: StatusSample, to status: inout GatewayStatus) {
    minute.append(sample)
    // One that is older than a minute stays, so that the difference covers all of it.
    while minute.count > 2, minute[1].atMs <= sample.atMs - Self.minuteMs { minute.removeFirst() }
    status.rates = rates(from: minute[0], to: sample)
    addPointIfDue(sample, status)
    status.history = history
  }

  private mutating func addPointIfDue(_ sample: StatusSample, _ status: GatewayStatus) {
    guard let last = lastPoint else {
      lastPoint = sample
      return
    }
    guard sample.atMs - last.atMs >= Self.pointMs else { return }
    lastPoint = sample
    let rates = rates(from: last, to: sample)
    let join = status.pipeline?.join ?? .init()
    history.append(
      .init(
        endAtMs: status.nowAtMs, messages: rates.messages, pairs: rates.pairs,
        watermarkLagMs: status.pipeline?.watermarkLagMs, readings: join.readings,
        evictedForMemory: join.evictedForMemory))
    if history.count > Self.points { history.removeFirst() }
  }

  private func rates(from start: StatusSample, to end: StatusSample) -> GatewayStatus.Rates {
    let ms = end.atMs - start.atMs
    guard ms > 0 else { return .init() }
    // To a tenth, and never below 0: a sum that fell belongs to another engine.
    func perSecond(_ difference: Int) -> Double {
      (Double(max(0, difference)) * 10_000 / Double(ms)).rounded() / 10
    }
    return .init(
      messages: perSecond(end.messages - start.messages), records: perSecond(end.records - start.records),
      pairs: perSecond(end.pairs - start.pairs))
  }
}
