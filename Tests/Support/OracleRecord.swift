// Records as they were meant, and their rows, written without the sources' help.

/// A record as it was meant, whatever the bytes it is sent as.
public enum OracleRecord: Equatable {
  case customer(OracleCustomer)
  case accelerometer(OracleAccelerometer)
  case stepTrainer(OracleStepTrainer)
  /// A record that is none, of a kind, with what the quarantine says about it.
  case malformed(kind: String, detail: String)

  /// The name of the record's kind.
  public var kind: String {
    switch self {
    case .customer: "customer"
    case .accelerometer: "accelerometer"
    case .stepTrainer: "step_trainer"
    case .malformed(let kind, _): kind
    }
  }

  /// The record's values as JSON, in the order of its tables' columns.
  public var columns: [Column] {
    switch self {
    case .customer(let customer): customer.columns
    case .accelerometer(let reading): reading.columns
    case .stepTrainer(let reading): reading.columns
    case .malformed: []
    }
  }
}

public typealias Column = (name: String, json: String)

func row(_ columns: [Column]) -> String {
  "{" + columns.map { "\"\($0.name)\":\($0.json)" }.joined(separator: ",") + "}"
}

func json(_ text: String) -> String {
  "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
}

public struct OracleCustomer: Equatable {
  public var email: String
  public var serialNumber: String?
  public var lastUpdateMs: Int64?
  public var registrationMs: Int64?
  public var researchMs: Int64?
  public var customerName: String?
  /// As JSON: it may be a number.
  public var phone: String?

  var columns: [Column] {
    let optional: [(String, String?)] = [
      ("serialNumber", serialNumber.map(json)), ("lastUpdateDate", lastUpdateMs.map(String.init)),
      ("registrationDate", registrationMs.map(String.init)),
      ("shareWithResearchAsOfDate", researchMs.map(String.init)), ("customerName", customerName.map(json)),
      ("phone", phone),
    ]
    return [("email", json(email))] + optional.compactMap { name, json in json.map { (name, $0) } }
  }
}

public struct OracleAccelerometer: Equatable {
  public var user: String
  public var timeMs: Int64
  /// The coordinates as they are spelled.
  public var x: String
  public var y: String
  public var z: String

  var columns: [Column] {
    [("user", json(user)), ("timestamp", "\(timeMs)"), ("x", x), ("y", y), ("z", z)]
  }
}

public struct OracleStepTrainer: Equatable {
  public var timeMs: Int64
  public var serialNumber: String
  public var distance: Int64

  var columns: [Column] {
    [
      ("sensorReadingTime", "\(timeMs)"), ("serialNumber", json(serialNumber)),
      ("distanceFromObject", "\(distance)"),
    ]
  }
}
