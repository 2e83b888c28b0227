// The tables: where each lies, when it is written, and what its columns are. Who shows, ships or searches rows goes by
// this; the rows themselves are spelled once more where they are made (Pipeline/Rows.swift), for speed.
//
// Invariants:
// - A row holds columns of its table only, in their order, each with a value of its type or not at all. A test compares
//   rows of every table with this.
// - Names and order of columns are in people's files: a column is added at the end, and never changes its meaning.

/// A table of the data folder. The raw values are places in arrays, no more.
public enum Table: Int, CaseIterable, Sendable {
  case customerLanding, accelerometerLanding, stepTrainerLanding
  case customerTrusted, accelerometerTrusted, stepTrainerTrusted
  case customersCurated, machineLearningCurated
  case rejected
  case gaps

  /// A column's values.
  public enum ColumnType: Sendable {
    /// A JSON string.
    case text
    /// A string, or a number as it came.
    case textOrNumber
    /// A number without a fraction, of 64 bits.
    case integer
    /// The same: milliseconds since 1970-01-01 UTC.
    case timeMs
    /// A finite number, as it came.
    case number
  }

  /// What a column tells of a person, and so what becomes of it before a row leaves the machine.
  public enum Privacy: Sendable {
    /// Nothing by itself.
    case open
    /// Who it is: an email.
    case person
    /// Whose it is: a serial number.
    case device
    /// More about the person than anybody outside needs.
    case drop
    /// A date of which the year is enough.
    case yearOnly
  }

  public struct Column: Sendable {
    public let name: String
    public let type: ColumnType
    public let privacy: Privacy

    init(_ name: String, _ type: ColumnType, _ privacy: Privacy = .open) {
      self.name = name
      self.type = type
      self.privacy = privacy
    }
  }

  /// When a table is there.
  public enum Presence: Sendable {
    case always
    /// Where records are kept as they came (`landing.enabled`). A row then may hold other columns, too.
    case landing
    /// Where records come from a broker.
    case live
  }

  private struct Definition {
    let zone: String
    let name: String
    let presence: Presence
    let columns: [Column]
  }

  private static let customer = [
    Column("email", .text, .person), Column("serialNumber", .text, .device),
    Column("lastUpdateDate", .timeMs), Column("registrationDate", .timeMs),
    Column("shareWithResearchAsOfDate", .timeMs), Column("shareWithPublicAsOfDate", .timeMs),
    Column("shareWithFriendsAsOfDate", .timeMs), Column("customerName", .textOrNumber, .drop),
    Column("phone", .textOrNumber, .drop), Column("birthDay", .textOrNumber, .yearOnly),
  ]
  private static let accelerometer = [
    Column("user", .text, .person), Column("timestamp", .timeMs), Column("x", .number), Column("y", .number),
    Column("z", .number),
  ]
  private static let stepTrainer = [
    Column("sensorReadingTime", .timeMs), Column("serialNumber", .text, .device),
    Column("distanceFromObject", .integer),
  ]
  private static let refused = [
    Column("receivedAt", .timeMs), Column("topic", .text, .drop), Column("reason", .text),
    Column("detail", .text), Column("payload", .text, .drop), Column("payloadBase64", .text, .drop),
  ]
  private static let gap = [Column("from", .timeMs), Column("to", .timeMs), Column("reason", .text)]

  private static let definitions: [Definition] = allCases.map { table in
    let (zone, name, presence, columns): (String, String, Presence, [Column]) =
      switch table {
      case .customerLanding: ("landing", "customer_landing", .landing, customer)
      case .accelerometerLanding: ("landing", "accelerometer_landing", .landing, accelerometer)
      case .stepTrainerLanding: ("landing", "step_trainer_landing", .landing, stepTrainer)
      case .customerTrusted: ("trusted", "customer_trusted", .always, customer)
      case .accelerometerTrusted: ("trusted", "accelerometer_trusted", .always, accelerometer)
      case .stepTrainerTrusted: ("trusted", "step_trainer_trusted", .always, stepTrainer)
      case .customersCurated: ("curated", "customers_curated", .always, customer)
      case .machineLearningCurated:
        ("curated", "machine_learning_curated", .always, stepTrainer + accelerometer)
      case .rejected: ("quarantine", "rejected", .always, refused)
      case .gaps: ("audit", "gaps", .live, gap)
      }
    return Definition(zone: zone, name: name, presence: presence, columns: columns)
  }

  private var definition: Definition { Self.definitions[rawValue] }

  /// The name as users write it.
  public var name: String { definition.name }

  /// The folder that its folder is in.
  public var zone: String { definition.zone }

  public var presence: Presence { definition.presence }

  /// In the order in which a row has them.
  public var columns: [Column] { definition.columns }

  /// The table's folder in a data folder.
  public func directory(in dataDirectory: String) -> String { "\(dataDirectory)/\(zone)/\(name)" }

  /// The table that has this name.
  public static func named(_ name: String) -> Table? { allCases.first { $0.name == name } }
}
