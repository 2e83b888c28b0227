// What a record is judged to be, and the sums.
//
// Invariant: every record gets exactly one verdict, so that received = sum of all verdicts + held.

/// The outcome for one record. Each record has exactly one; a held reading gets its own later. The raw values
/// are on disk, in checkpoints.
public enum Verdict: UInt8, CaseIterable, Sendable {
  case malformed = 0
  case oversized = 1
  case identityMismatch = 2
  case future = 3
  case consenting = 4
  case notConsenting = 5
  case stale = 6
  case trusted = 7
  case duplicate = 8
  case unknownCustomer = 9
  case unknownDevice = 10
  case noConsent = 11
  case beforeConsent = 12
  case noAccelerometer = 13
  /// Not a verdict yet: the reading waits for its claimant's first accelerometer reading.
  case held = 14

  /// The name in summaries, metrics and the quarantine's `reason`.
  public var name: String {
    switch self {
    case .malformed: "malformed"
    case .oversized: "oversized"
    case .identityMismatch: "identity_mismatch"
    case .future: "future"
    case .consenting: "consenting"
    case .notConsenting: "not_consenting"
    case .stale: "stale"
    case .trusted: "trusted"
    case .duplicate: "duplicate"
    case .unknownCustomer: "unknown_customer"
    case .unknownDevice: "unknown_device"
    case .noConsent: "no_consent"
    case .beforeConsent: "before_consent"
    case .noAccelerometer: "no_accelerometer"
    case .held: "held"
    }
  }

  /// The verdicts that records of a kind can get, in the order in which they are shown.
  public static func possible(for kind: RecordKind) -> [Verdict] {
    switch kind {
    case .customer: [.consenting, .notConsenting, .stale, .malformed, .oversized, .identityMismatch]
    case .accelerometer:
      [
        .trusted, .duplicate, .future, .unknownCustomer, .noConsent, .beforeConsent, .malformed, .oversized,
        .identityMismatch,
      ]
    case .stepTrainer:
      [
        .trusted, .duplicate, .future, .unknownDevice, .noConsent, .beforeConsent, .noAccelerometer,
        .malformed,
        .oversized, .identityMismatch,
      ]
    case .unknown: [.malformed, .oversized]
    }
  }
}

/// How many records of each kind got each verdict.
public struct VerdictCounts: Equatable, Sendable {
  private var counts = [Int](repeating: 0, count: RecordKind.allCases.count * Verdict.allCases.count)
  private var receivedCounts = [Int](repeating: 0, count: RecordKind.allCases.count)
  /// Step trainer readings that wait for their claimant's first accelerometer reading.
  public private(set) var held = 0

  public init() {}

  private static func place(_ kind: RecordKind, _ verdict: Verdict) -> Int {
    Int(kind.rawValue) * Verdict.allCases.count + Int(verdict.rawValue)
  }

  /// Records with this verdict.
  public subscript(kind: RecordKind, verdict: Verdict) -> Int { counts[Self.place(kind, verdict)] }

  /// Records of this kind that came in.
  public func received(_ kind: RecordKind) -> Int { receivedCounts[Int(kind.rawValue)] }

  /// Whether received = sum of all verdicts + held, for every kind.
  public var balance: Bool {
    RecordKind.allCases.allSatisfy { kind in
      let judged = Verdict.allCases.reduce(0) { $0 + self[kind, $1] }
      return received(kind) == judged + (kind == .stepTrainer ? held : 0)
    }
  }

  /// Counts records that came in.
  public mutating func receive(_ kind: RecordKind, _ count: Int) {
    receivedCounts[Int(kind.rawValue)] += count
  }

  /// Counts records with a verdict; `.held` counts them as waiting.
  public mutating func judge(_ kind: RecordKind, _ verdict: Verdict, _ count: Int = 1) {
    if verdict == .held { held += count } else { counts[Self.place(kind, verdict)] += count }
  }

  /// Gives waiting readings their verdict.
  public mutating func settleHeld(_ count: Int, as verdict: Verdict) {
    precondition(count <= held && verdict != .held, "more readings settled than were held")
    held -= count
    counts[Self.place(.stepTrainer, verdict)] += count
  }
}
