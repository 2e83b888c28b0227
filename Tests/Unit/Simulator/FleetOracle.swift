// A gateway's verdicts in the plainest form: dictionaries, Foundation's JSON, nothing ever evicted but what
// the retention says. It shares no code with the fleet it judges.

import Foundation

@testable import Simulator

/// One record, read as the gateway's contract says: keys without regard to case.
struct OracleRecord: Hashable {
  var kind: RecordKind
  var identity: String
  var timeMs: Int
  var values: [Double]
}

struct FleetOracle {
  struct Customer {
    var lastUpdateMs: Int
    var consentMs: Int
    var serialNumber: String
  }

  let nowMs: Int
  let usesIdentityLevels: Bool
  var verdicts: [ExpectedVerdict] = []
  var isLate: [Bool] = []
  /// Well-formed readings that were trusted, held or late: the state of a gateway that forgets nothing.
  var seen: Set<OracleRecord> = []
  private var customers: [String: Customer] = [:]
  private var curated: Set<String> = []
  private var held: [(position: Int, serialNumber: String, timeMs: Int)] = []
  private var latestMs: [String: [RecordKind: Int]] = [:]

  init(nowMs: Int, usesIdentityLevels: Bool) {
    self.nowMs = nowMs
    self.usesIdentityLevels = usesIdentityLevels
  }

  mutating func judge(_ message: OutgoingMessage) {
    let levels = message.topic.split(separator: "/", maxSplits: 2).map(String.init)
    guard let kind = RecordKind(rawValue: levels[1]) else { return }
    guard message.payload.count <= 1 << 20 else { return give(.oversized) }
    guard let objects = Self.objects(message.payload) else { return give(.malformed) }
    for object in objects {
      switch kind {
      case .customer: give(judgeCustomer(object))
      case .accelerometer, .stepTrainer:
        guard let reading = Self.reading(kind, object) else {
          give(.malformed)
          continue
        }
        guard !usesIdentityLevels || reading.identity == levels[2] else {
          give(.identityMismatch)
          continue
        }
        let isBehind = behind(reading)
        give(
          kind == .accelerometer ? judgeAccelerometer(reading) : judgeStepTrainer(reading), isLate: isBehind)
      }
    }
  }

  private mutating func give(_ verdict: ExpectedVerdict, isLate: Bool = false) {
    verdicts.append(verdict)
    self.isLate.append(isLate && verdict == .trusted)
  }

  private mutating func judgeCustomer(_ object: [String: Any]) -> ExpectedVerdict {
    guard let email = object["email"] as? String, let serialNumber = object["serialnumber"] as? String,
      let lastUpdateMs = object["lastupdatedate"] as? Int
    else { return .malformed }
    if let known = customers[email], lastUpdateMs < known.lastUpdateMs { return .stale }
    let consentMs = object["sharewithresearchasofdate"] as? Int ?? 0
    customers[email] = Customer(lastUpdateMs: lastUpdateMs, consentMs: consentMs, serialNumber: serialNumber)
    return consentMs > 0 ? .consenting : .notConsenting
  }

  private mutating func judgeAccelerometer(_ reading: OracleRecord) -> ExpectedVerdict {
    if reading.timeMs > nowMs + 300_000 { return .future }
    guard let customer = customers[reading.identity] else { return .unknownCustomer }
    guard customer.consentMs > 0 else { return .noConsent }
    guard reading.timeMs >= customer.consentMs else { return .beforeConsent }
    guard seen.insert(reading).inserted else { return .duplicate }
    curated.insert(reading.identity)
    advance(customer.serialNumber, reading)
    held.removeAll { waiting in
      guard waiting.serialNumber == customer.serialNumber, waiting.timeMs >= customer.consentMs else {
        return false
      }
      verdicts[waiting.position] = .trusted
      return true
    }
    return .trusted
  }

  private mutating func judgeStepTrainer(_ reading: OracleRecord) -> ExpectedVerdict {
    if reading.timeMs > nowMs + 300_000 { return .future }
    let claimants = customers.filter { $0.value.serialNumber == reading.identity }
    guard !claimants.isEmpty else { return .unknownDevice }
    let consenting = claimants.filter { $0.value.consentMs > 0 }
    guard !consenting.isEmpty else { return .noConsent }
    let covering = consenting.filter { $0.value.consentMs <= reading.timeMs }
    guard !covering.isEmpty else { return .beforeConsent }
    guard seen.insert(reading).inserted else { return .duplicate }
    advance(reading.identity, reading)
    if covering.contains(where: { curated.contains($0.key) }) { return .trusted }
    held.removeAll { waiting in
      guard waiting.serialNumber == reading.identity, waiting.timeMs < reading.timeMs - 900_000 else {
        return false
      }
      verdicts[waiting.position] = .noAccelerometer
      return true
    }
    held.append((verdicts.count, reading.identity, reading.timeMs))
    return .held
  }

  private mutating func advance(_ serialNumber: String, _ reading: OracleRecord) {
    latestMs[serialNumber, default: [:]][reading.kind, default: .min] =
      max(latestMs[serialNumber]?[reading.kind] ?? .min, reading.timeMs)
  }

  private func behind(_ reading: OracleRecord) -> Bool {
    let serialNumber =
      reading.kind == .accelerometer ? customers[reading.identity]?.serialNumber : reading.identity
    guard let serialNumber, let latest = latestMs[serialNumber], latest.count == 2,
      let watermarkMs = latest.values.min()
    else { return false }
    return reading.timeMs < watermarkMs - 600_000
  }

  // MARK: Parsing

  private static func objects(_ payload: [UInt8]) -> [[String: Any]]? {
    let data = Data(payload)
    if let value = try? JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed) {
      guard let values = (value as? [Any]) ?? (value as? [String: Any]).map({ [$0] }) else { return nil }
      return values.map { lowerCased($0 as? [String: Any] ?? [:]) }
    }
    let lines = data.split(separator: UInt8(ascii: "\n"))
    let values = lines.map { try? JSONSerialization.jsonObject(with: $0) as? [String: Any] }
    guard lines.count > 1, values.allSatisfy({ $0 != nil }) else { return nil }
    return values.map { lowerCased($0 ?? [:]) }
  }

  private static func lowerCased(_ object: [String: Any]) -> [String: Any] {
    Dictionary(uniqueKeysWithValues: object.map { ($0.key.lowercased(), $0.value) })
  }

  private static func reading(_ kind: RecordKind, _ object: [String: Any]) -> OracleRecord? {
    let isAccelerometer = kind == .accelerometer
    guard let identity = object[isAccelerometer ? "user" : "serialnumber"] as? String,
      let timeMs = object[isAccelerometer ? "timestamp" : "sensorreadingtime"] as? Int
    else { return nil }
    let values = (isAccelerometer ? ["x", "y", "z"] : ["distancefromobject"]).map { object[$0] as? Double }
    guard values.allSatisfy({ $0 != nil }) else { return nil }
    if !isAccelerometer, object["distancefromobject"] as? Int == nil { return nil }
    return OracleRecord(kind: kind, identity: identity, timeMs: timeMs, values: values.compactMap { $0 })
  }
}
