// What stepgate must compute, by definition and slowly: every question is answered by looking at
// everything there is. It shares no code with the sources, so that no mistake is made twice.
//
// Where the contract is silent it follows the choices written down in ARCHITECTURE.md:
// - a pair is made when the later of its two readings is added, by the claims and consent of that moment;
// - a customer's waiting readings follow it to another serial number, and make no pairs by that;
// - consent is judged before `future`, so that nothing that it refuses reaches the quarantine.

public struct OracleSettings: Equatable {
  public struct Eviction: Equatable {
    public var latenessMs: Int64
    public var retentionMs: Int64
    public var idleMs: Int64

    public init(latenessMs: Int64, retentionMs: Int64, idleMs: Int64) {
      self.latenessMs = latenessMs
      self.retentionMs = retentionMs
      self.idleMs = idleMs
    }
  }
  public var enforcesDates = true
  public var pairsByOwner = true
  public var toleranceMs: Int64 = 0
  public var futureSkewMs: Int64?
  /// Nil in a replay, which keeps everything.
  public var eviction: Eviction?

  public init() {}
}

/// The contract, executed.
public struct NaiveOracle {
  private struct Customer {
    var record: OracleCustomer
    var dateMs: Int64
    /// The consent date, or nil without consent.
    var since: Int128?
    var claim: String
    var isCurated = false
  }

  /// What eviction knows of one serial number.
  private struct Activity {
    var latestAccelerometer: Int128?
    var latestStepTrainer: Int128?
    var lastArrivalMs: Int64
  }

  private var settings: OracleSettings
  private var clockMs = Int64.min
  private var customers: [String: Customer] = [:]
  private var accelerometer: [OracleAccelerometer] = []
  private var stepTrainer: [OracleStepTrainer] = []
  private var held: [OracleStepTrainer] = []
  private var activities: [String: Activity] = [:]
  private var anonymousClaims = 0
  /// Table → rows, in no order that matters.
  public private(set) var rows: [String: [String]] = [:]
  /// Kind → verdict → records.
  public private(set) var verdicts: [String: [String: Int]] = [:]
  public var heldCount: Int { held.count }

  public init(_ settings: OracleSettings) { self.settings = settings }

  /// Takes a record and the text it came as.
  public mutating func handle(_ record: OracleRecord, text: String, arrivalMs: Int64, topic: String) {
    clockMs = max(clockMs, arrivalMs)
    evictIdle()
    let verdict =
      switch record {
      case .customer(let customer): judge(customer, arrivalMs)
      case .accelerometer(let reading): judge(reading, arrivalMs)
      case .stepTrainer(let reading): judge(reading, arrivalMs)
      case .malformed: "malformed"
      }
    if verdict != "held" { count(record.kind, verdict) }
    var detail: String?
    if case .malformed(_, let problem) = record { detail = problem }
    if verdict == "future" { detail = "the reading's time is too far ahead of its arrival" }
    guard let detail else { return }
    let columns: [Column] = [
      ("receivedAt", "\(arrivalMs)"), ("topic", json(topic)), ("reason", json(verdict)),
      ("detail", json(detail)), ("payload", json(text)),
    ]
    add(columns, to: "rejected")
  }

  /// Goes on with other settings, of the same pairing. Another consent mode judges anew what waits; all else holds
  /// for what is to come.
  public mutating func apply(_ new: OracleSettings) {
    precondition(new.pairsByOwner == settings.pairsByOwner)
    let judgesAnew = new.enforcesDates != settings.enforcesDates
    settings = new
    guard judgesAnew else { return }
    for (email, customer) in customers where customer.since != nil {
      customers[email]?.since = new.enforcesDates ? Int128(customer.record.researchMs ?? 0) : .min
    }
    for claim in Set(customers.values.map(\.claim)) { reconcile(claim) }
  }

  /// The end of a replay.
  public mutating func end() {
    for _ in held { count("step_trainer", "no_accelerometer") }
    held = []
  }

  private mutating func count(_ kind: String, _ verdict: String) {
    verdicts[kind, default: [:]][verdict, default: 0] += 1
  }

  private mutating func add(_ columns: [Column], to table: String) {
    rows[table, default: []].append(row(columns))
  }

  // MARK: Customers

  private mutating func judge(_ record: OracleCustomer, _ arrivalMs: Int64) -> String {
    let dateMs = record.lastUpdateMs ?? record.registrationMs ?? arrivalMs
    let known = customers[record.email]
    if let known, dateMs < known.dateMs { return "stale" }
    if let known, record == known.record {
      customers[record.email]?.dateMs = dateMs
      return "stale"
    }
    let consents = (record.researchMs ?? 0) > 0
    let since = consents ? (settings.enforcesDates ? Int128(record.researchMs ?? 0) : .min) : nil
    customers[record.email] = Customer(
      record: record, dateMs: dateMs, since: since, claim: claim(of: record, known),
      isCurated: known?.isCurated ?? false)
    if consents { add(record.columns, to: "customer_trusted") }
    if let known { follow(from: known, record.email) }
    reconcile(customers[record.email]?.claim ?? "")
    return consents ? "consenting" : "not_consenting"
  }

  // Without a serial number, one that no reading can name stands for it.
  private mutating func claim(of record: OracleCustomer, _ known: Customer?) -> String {
    if let serialNumber = record.serialNumber, !serialNumber.isEmpty { return serialNumber }
    if let known, known.claim.hasPrefix("\u{0}") { return known.claim }
    anonymousClaims += 1
    return "\u{0}\(anonymousClaims)"
  }

  private mutating func follow(from before: Customer, _ email: String) {
    guard let now = customers[email] else { return }
    if before.since != nil && now.since == nil { accelerometer.removeAll { $0.user == email } }
    if before.claim == now.claim { return }
    let moved = accelerometer.filter { $0.user == email }.map(\.timeMs)
    if settings.pairsByOwner, let latest = moved.max() { activate(now.claim, accelerometer: latest) }
    reconcile(before.claim)
  }

  // MARK: Coverage

  private func covers(_ customer: Customer, _ timeMs: Int64) -> Bool {
    customer.since.map { Int128(timeMs) >= $0 } ?? false
  }

  private func isCovered(_ reading: OracleStepTrainer) -> Bool {
    customers.values.contains {
      $0.claim == reading.serialNumber && $0.isCurated && covers($0, reading.timeMs)
    }
  }

  private func verdict(of reading: OracleStepTrainer) -> String {
    let claimants = customers.values.filter { $0.claim == reading.serialNumber }
    if claimants.isEmpty { return "unknown_device" }
    if claimants.allSatisfy({ $0.since == nil }) { return "no_consent" }
    if isCovered(reading) { return "trusted" }
    return claimants.contains { covers($0, reading.timeMs) } ? "held" : "before_consent"
  }

  // Consent, claims or curation of a serial number changed: judge again what waits.
  private mutating func reconcile(_ serialNumber: String) {
    stepTrainer = stepTrainer.filter { $0.serialNumber != serialNumber || isCovered($0) }
    for reading in held where reading.serialNumber == serialNumber {
      // A claim that was given up took its consent along.
      var verdict = verdict(of: reading)
      if verdict == "unknown_device" { verdict = "no_consent" }
      if verdict == "held" { continue }
      held.removeAll { $0 == reading }
      count("step_trainer", verdict == "trusted" ? trust(reading) : verdict)
    }
    evict(serialNumber)
  }

  // MARK: Readings

  private func isFuture(_ timeMs: Int64, _ arrivalMs: Int64) -> Bool {
    settings.futureSkewMs.map { Int128(timeMs) > Int128(arrivalMs) + Int128($0) } ?? false
  }

  private mutating func judge(_ reading: OracleAccelerometer, _ arrivalMs: Int64) -> String {
    guard let customer = customers[reading.user] else { return "unknown_customer" }
    guard let since = customer.since else { return "no_consent" }
    if Int128(reading.timeMs) < since { return "before_consent" }
    if isFuture(reading.timeMs, arrivalMs) { return "future" }
    activate(key(customer.claim))
    if accelerometer.contains(reading) { return "duplicate" }
    accelerometer.append(reading)
    activate(key(customer.claim), accelerometer: reading.timeMs)
    add(reading.columns, to: "accelerometer_trusted")
    for partner in stepTrainer { pair(partner, reading) }
    if customer.isCurated {
      evict(customer.claim)
    } else {
      customers[reading.user]?.isCurated = true
      add(customer.record.columns, to: "customers_curated")
      reconcile(customer.claim)
    }
    return "trusted"
  }

  private mutating func judge(_ reading: OracleStepTrainer, _ arrivalMs: Int64) -> String {
    var verdict = verdict(of: reading)
    guard verdict == "trusted" || verdict == "held" else { return verdict }
    if isFuture(reading.timeMs, arrivalMs) { return "future" }
    if verdict == "trusted" {
      verdict = trust(reading)
    } else if held.contains(reading) {
      activate(reading.serialNumber)
      return "duplicate"
    } else {
      held.append(reading)
      activate(reading.serialNumber, stepTrainer: reading.timeMs)
    }
    if verdict != "duplicate" { evict(reading.serialNumber) }
    return verdict
  }

  private mutating func trust(_ reading: OracleStepTrainer) -> String {
    let key = key(reading.serialNumber)
    activate(key)
    if stepTrainer.contains(reading) { return "duplicate" }
    stepTrainer.append(reading)
    activate(key, stepTrainer: reading.timeMs)
    add(reading.columns, to: "step_trainer_trusted")
    for partner in accelerometer { pair(reading, partner) }
    return "trusted"
  }

  private mutating func pair(_ reading: OracleStepTrainer, _ partner: OracleAccelerometer) {
    let distance = Int128(reading.timeMs) - Int128(partner.timeMs)
    guard abs(distance) <= Int128(settings.toleranceMs) else { return }
    if settings.pairsByOwner {
      guard let owner = customers[partner.user], owner.claim == reading.serialNumber,
        covers(owner, reading.timeMs), covers(owner, partner.timeMs)
      else { return }
    }
    add(reading.columns + partner.columns, to: "machine_learning_curated")
  }

  // MARK: Eviction

  private func key(_ serialNumber: String) -> String { settings.pairsByOwner ? serialNumber : "" }

  private mutating func activate(
    _ serialNumber: String, accelerometer: Int64? = nil, stepTrainer: Int64? = nil
  ) {
    var activity = activities[serialNumber] ?? Activity(lastArrivalMs: clockMs)
    activity.lastArrivalMs = clockMs
    if let accelerometer {
      activity.latestAccelerometer = max(activity.latestAccelerometer ?? .min, Int128(accelerometer))
    }
    if let stepTrainer {
      activity.latestStepTrainer = max(activity.latestStepTrainer ?? .min, Int128(stepTrainer))
    }
    activities[serialNumber] = activity
  }

  private func isAccelerometer(_ reading: OracleAccelerometer, of serialNumber: String) -> Bool {
    customers[reading.user]?.claim == serialNumber
  }

  private mutating func evict(_ serialNumber: String) {
    guard let eviction = settings.eviction, let activity = activities[serialNumber] else { return }
    let never = Int128(Int64.min) * 4
    let watermark = min(activity.latestAccelerometer ?? never, activity.latestStepTrainer ?? never)
    let matchable = watermark - Int128(eviction.latenessMs) - Int128(settings.toleranceMs)
    let keptAccelerometer = (activity.latestAccelerometer ?? never) - Int128(eviction.retentionMs)
    let keptStepTrainer = (activity.latestStepTrainer ?? never) - Int128(eviction.retentionMs)
    accelerometer = accelerometer.filter {
      !isAccelerometer($0, of: serialNumber) || Int128($0.timeMs) >= max(matchable, keptAccelerometer)
    }
    stepTrainer.removeAll {
      $0.serialNumber == serialNumber && Int128($0.timeMs) < max(matchable, keptStepTrainer)
    }
    expire { $0.serialNumber == serialNumber && Int128($0.timeMs) < keptStepTrainer }
  }

  private mutating func evictIdle() {
    guard let eviction = settings.eviction else { return }
    for (serialNumber, activity) in activities {
      guard Int128(activity.lastArrivalMs) + Int128(eviction.idleMs) < Int128(clockMs) else { continue }
      activities[serialNumber] = nil
      accelerometer = accelerometer.filter { !isAccelerometer($0, of: serialNumber) }
      stepTrainer.removeAll { $0.serialNumber == serialNumber }
      expire { $0.serialNumber == serialNumber }
    }
  }

  private mutating func expire(where isExpired: (OracleStepTrainer) -> Bool) {
    for _ in held.filter(isExpired) { count("step_trainer", "no_accelerometer") }
    held.removeAll(where: isExpired)
  }
}
