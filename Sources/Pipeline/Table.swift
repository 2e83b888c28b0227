// The tables and where they lie.

/// A table of the data folder.
public enum Table: Int, CaseIterable, Sendable {
  case customerLanding, accelerometerLanding, stepTrainerLanding
  case customerTrusted, accelerometerTrusted, stepTrainerTrusted
  case customersCurated, machineLearningCurated
  case rejected
  case gaps

  /// The name as users write it.
  public var name: String {
    switch self {
    case .customerLanding: "customer_landing"
    case .accelerometerLanding: "accelerometer_landing"
    case .stepTrainerLanding: "step_trainer_landing"
    case .customerTrusted: "customer_trusted"
    case .accelerometerTrusted: "accelerometer_trusted"
    case .stepTrainerTrusted: "step_trainer_trusted"
    case .customersCurated: "customers_curated"
    case .machineLearningCurated: "machine_learning_curated"
    case .rejected: "rejected"
    case .gaps: "gaps"
    }
  }

  /// The folder that its folder is in.
  public var zone: String {
    switch self {
    case .customerLanding, .accelerometerLanding, .stepTrainerLanding: "landing"
    case .customerTrusted, .accelerometerTrusted, .stepTrainerTrusted: "trusted"
    case .customersCurated, .machineLearningCurated: "curated"
    case .rejected: "quarantine"
    case .gaps: "audit"
    }
  }

  /// The table's folder in a data folder.
  public func directory(in dataDirectory: String) -> String { "\(dataDirectory)/\(zone)/\(name)" }

  /// The table that has this name.
  public static func named(_ name: String) -> Table? { allCases.first { $0.name == name } }

  /// Whether it is there only where records are kept as they came, or come from a broker.
  public var isOptional: Bool { zone == "landing" || self == .gaps }
}
