// The made-up customers: who they are, what they share, and the records of them that are published.
//
// Invariant: a customer is a pure function of the seed and its index, so that a million of them need no
// memory.

/// What a customer is there for. The role follows from the index modulo 8, so 8 customers have them all.
enum CustomerRole: Equatable {
  /// Consents and sends readings of both kinds.
  case active
  /// Never consented; sends readings all the same.
  case withoutConsent
  /// Consented in the middle of the time that the readings are from.
  case consentedMidway
  /// Consents; its step trainer sends, its accelerometer never does.
  case silent
  /// Consents at first; some withdraw while readings are coming in.
  case withdrawing

  init(index: Int) {
    self =
      switch index % 8 {
      case 4: .withoutConsent
      case 5: .consentedMidway
      case 6: .silent
      case 7: .withdrawing
      default: .active
      }
  }
}

struct FleetCustomer {
  let index: Int
  let role: CustomerRole
  let name: String
  let email: String
  /// The index of the customer who gave this serial number its first claim: of 8 customers, two share one.
  let serialOwner: Int
  let serialNumber: String
  let registrationMs: Int
  /// From when on readings are covered; nil without consent.
  let consentMs: Int?
  private let hasNullDates: Bool

  init(index: Int, seed: UInt64, window: ReadingWindow) {
    var random = SeededRandom(seed: seed ^ (UInt64(index) &* 0xA24B_AED4_963E_E407))
    self.index = index
    role = CustomerRole(index: index)
    serialOwner = index % 8 == 3 ? index - 1 : index
    serialNumber = Self.serialNumber(owner: serialOwner, seed: seed)
    let first = Self.firstNames[random.below(Self.firstNames.count)]
    let last = Self.lastNames[random.below(Self.lastNames.count)]
    name = "\(first) \(last)"
    // An address may be quoted (RFC 5322, section 3.4.1). Never '+', '#' or '/': it becomes a topic level.
    email = index % 7 == 3 ? "\"\(first) \(last)\(index)\"@test.com" : "\(first).\(last)\(index)@test.com"
    registrationMs = window.startMs - (2 + random.below(700)) * 24 * 3_600_000 - random.below(86_400_000)
    consentMs =
      switch role {
      case .withoutConsent: nil
      case .consentedMidway: window.middleMs
      default: registrationMs
      }
    hasNullDates = random.below(2) == 0
  }

  /// A record of this customer as of `lastUpdateMs`; without `consentMs` the date is absent, null or 0.
  func record(lastUpdateMs: Int, consentMs: Int?, phone: String = "8015551212") -> [UInt8] {
    var object = JSONObject()
    object.add("customerName", name, escaped: index % 3 == 0)
    object.add("email", email, escaped: index % 4 == 0)
    object.add("phone", phone)
    object.add("birthDay", "19\(10 + index % 90)-0\(1 + index % 9)-01")
    object.add("serialNumber", serialNumber)
    object.add("registrationDate", registrationMs)
    object.add("lastUpdateDate", lastUpdateMs)
    if let consentMs {
      object.add("shareWithResearchAsOfDate", consentMs)
    } else if index % 3 == 1 {
      object.add("shareWithResearchAsOfDate", 0)
    } else if hasNullDates {
      object.add("shareWithResearchAsOfDate", null: ())
    }
    if index % 2 == 0 { object.add("shareWithPublicAsOfDate", registrationMs) }
    return object.bytes
  }

  static func serialNumber(owner: Int, seed: UInt64) -> String {
    var random = SeededRandom(seed: seed ^ ~UInt64(owner))
    return uuid(&random)
  }

  /// A random UUID (RFC 9562, section 5.4), in lower case.
  static func uuid(_ random: inout SeededRandom) -> String {
    func hex(_ value: UInt64, _ digits: Int) -> String {
      let text = String(value, radix: 16)
      return String(repeating: "0", count: digits - text.count) + text
    }
    let high = random.next()
    let low = random.next()
    let version = 0x4000 | (high & 0x0FFF)
    let variant = 0x8000 | ((low >> 48) & 0x3FFF)
    return [
      hex(high >> 32, 8), hex((high >> 16) & 0xFFFF, 4), hex(version, 4), hex(variant, 4),
      hex(low & 0xFFFF_FFFF_FFFF, 12),
    ].joined(separator: "-")
  }

  private static let firstNames = [
    "Santosh", "Ben", "Frank", "Zoë", "Angie", "Jürgen", "Lyn", "Sean", "Žofia", "Neeraj", "Chloé", "Dan",
  ]
  private static let lastNames = [
    "Clayton", "Khatib", "Hansen", "Müller", "Spencer", "O'Neil", "Ahmed", "Ångström", "Wu", "García",
    "Lincoln",
  ]
}
