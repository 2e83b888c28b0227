// The three kinds of records and where their verdicts are counted.

import CFastPath

/// What a record is about. The raw values are those of CFastPath.
public enum RecordKind: UInt8, CaseIterable, Sendable {
  case customer = 0
  case accelerometer = 1
  case stepTrainer = 2
  /// A message on a topic that no rule names: it has a verdict, but no kind.
  case unknown = 3

  /// The name in summaries and metrics.
  public var name: String {
    switch self {
    case .customer: "customer"
    case .accelerometer: "accelerometer"
    case .stepTrainer: "step_trainer"
    case .unknown: "unknown"
    }
  }

  /// Where its records are kept as they came.
  public var landing: Table? {
    switch self {
    case .customer: .customerLanding
    case .accelerometer: .accelerometerLanding
    case .stepTrainer: .stepTrainerLanding
    case .unknown: nil
    }
  }

  /// The fields in the order of CFastPath's schema.
  public var fields: [String] { landing?.columns.map(\.name) ?? [] }
}
