// What the simulator publishes, and what the gateway is meant to make of it.

/// A message to publish, with the verdict each of its records is meant to get.
public struct OutgoingMessage: Sendable {
  /// Where it goes.
  public var topic: String
  /// UTF-8 JSON, mostly.
  public var payload: [UInt8]
  /// One entry per record that the gateway will count, in order; empty if nothing is known of them (files).
  public var records: [ExpectedRecord]

  /// A message whose records nothing is known of.
  public init(topic: String, payload: [UInt8], records: [ExpectedRecord] = []) {
    self.topic = topic
    self.payload = payload
    self.records = records
  }
}

/// The three kinds of records.
public enum RecordKind: String, Sendable, CaseIterable {
  case customer
  case accelerometer
  case stepTrainer = "step_trainer"
}

/// The verdicts of a gateway, by the names under which it counts them; `held` is none yet.
public enum ExpectedVerdict: String, Sendable, CaseIterable {
  case malformed, oversized, consenting, stale, trusted, duplicate, future, held
  case identityMismatch = "identity_mismatch"
  case notConsenting = "not_consenting"
  case unknownCustomer = "unknown_customer"
  case unknownDevice = "unknown_device"
  case noConsent = "no_consent"
  case beforeConsent = "before_consent"
  case noAccelerometer = "no_accelerometer"
}

/// What a gateway with default settings is meant to make of one record, given that all messages arrive in the
/// order in which they are published, once, and within `join.idle` (15 min) of each other.
public struct ExpectedRecord: Sendable, Equatable {
  /// What the record is.
  public var kind: RecordKind
  /// The verdict with the default topic filters.
  public var verdict: ExpectedVerdict
  /// The verdict where the filters are `stedi/accelerometer/{user}` and `stedi/step_trainer/{serialNumber}`.
  public var verdictWithIdentityLevels: ExpectedVerdict
  /// The record is more than `join.allowed_lateness` (10 min) behind its serial number's watermark.
  public var isLate: Bool

  init(
    _ kind: RecordKind, _ verdict: ExpectedVerdict, withIdentityLevels: ExpectedVerdict? = nil,
    isLate: Bool = false
  ) {
    self.kind = kind
    self.verdict = verdict
    verdictWithIdentityLevels = withIdentityLevels ?? verdict
    self.isLate = isLate
  }
}
