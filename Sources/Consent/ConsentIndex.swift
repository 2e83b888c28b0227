// The consent index: who agreed to share, since when, and which serial number they claim.
//
// Invariants:
// - A customer's entry is its latest record (by date; at equal dates the later arrival).
// - `sinceMs` is `.max` unless that record consents: this one number decides about a reading.
// - A serial number's coverage is the earliest date among its present claimants (all that consent,
//   and those that are curated): it is brought up to date with every change, so that judging a
//   reading looks at two dates however many customers claim the number.
// - A consenting customer's row is kept only until it is curated, and no other customer's at all.
// - No I/O, no clock, no randomness but the hash seed, which no output depends on.

import CFastPath
import Records

/// What a customer record did to the index.
public struct CustomerChange: Equatable {
  public let verdict: Verdict
  public let customer: CustomerID
  /// The serial number that the customer claimed before and claims no longer.
  public let left: SerialID?
  /// Whether `left` stood for no serial number at all, and will stand for another customer's.
  public let leftIsAnonymous: Bool
  /// The serial number that the customer claims now.
  public let claims: SerialID
  /// Whether the customer consented before and does not now.
  public let withdrew: Bool
}

/// Free in every number that an `IdentityTable` gives out.
private let topBit: UInt32 = 1 << 31

/// Judges readings by their customers' consent.
public final class ConsentIndex {
  struct Customer {
    /// The consent date, or `.max` without consent. First, so that `ConsentDates` finds it.
    var sinceMs: Int64 = .max
    var effectiveMs: Int64 = .min
    var rowHash: UInt64 = 0
    /// The customer's row until it is curated.
    var pendingRow = PendingRows.none
    private var serialAndCurated = noSerial

    /// The serial number that the customer claims.
    var serial: UInt32 {
      get { serialAndCurated & ~topBit }
      set { serialAndCurated = serialAndCurated & topBit | newValue }
    }
    var isCurated: Bool {
      get { serialAndCurated & topBit != 0 }
      set { serialAndCurated = serial | (newValue ? topBit : 0) }
    }
  }

  struct Serial {
    var claimants: UInt32 = 0
    private var onlyClaimantOrShared: UInt32 = 0
    var coverage = Coverage.none

    /// The claimant; nil once there was more than one at a time.
    var onlyClaimant: UInt32? { onlyClaimantOrShared & topBit == 0 ? onlyClaimantOrShared : nil }
    /// The place in `shared` once there was more than one claimant at a time.
    var shared: Int? { onlyClaimantOrShared & topBit == 0 ? nil : Int(onlyClaimantOrShared & ~topBit) }

    mutating func beClaimed(onlyBy customer: UInt32) { onlyClaimantOrShared = customer }

    mutating func beShared(at place: Int) { onlyClaimantOrShared = UInt32(place) | topBit }
  }

  static let noSerial = ~topBit
  /// How the dates are applied. Entries keep the dates as they are, so it may change at any time; who
  /// changes it brings the readings that wait in line.
  public var mode: ConsentMode
  var emails: IdentityTable
  var serialNumbers: IdentityTable
  var customers = GrowingArray<Customer>()
  var serials = GrowingArray<Serial>()
  var shared: [(consented: SharedClaims, curated: SharedClaims)] = []
  var freeAnonymousSerials: [UInt32] = []
  var rows = PendingRows()

  /// - Parameter hashSeed: random for each process; fixed in tests.
  public init(mode: ConsentMode, hashSeed: UInt64) {
    self.mode = mode
    emails = IdentityTable(seed: hashSeed)
    serialNumbers = IdentityTable(seed: hashSeed &+ 1)
  }

  /// Customers in the index.
  public var customerCount: Int { customers.count }
  /// Serial numbers that somebody claims or claimed.
  public var serialCount: Int { serials.count }
  /// The consent dates, good until the next `apply`.
  public var dates: ConsentDates {
    ConsentDates(first: UnsafeRawPointer(customers.base), stride: MemoryLayout<Customer>.stride, mode: mode)
  }

  /// A customer's email. Never moves.
  public func email(of customer: CustomerID) -> IdentityText { emails.text(customer.raw) }

  /// A serial number's text. Never moves.
  public func text(of serial: SerialID) -> IdentityText { serialNumbers.text(serial.raw) }

  /// The serial number that a customer claims.
  public func serial(of customer: CustomerID) -> SerialID { SerialID(customers[Int(customer.raw)].serial) }

  /// From when on a serial number's readings are covered.
  public func coverage(of serial: SerialID) -> Coverage {
    let dates = serials[Int(serial.raw)].coverage
    return Coverage(
      curatedFrom: mode.start(dates.curatedFrom), consentedFrom: mode.start(dates.consentedFrom))
  }

  // MARK: Customer records

  /// Takes a good customer record into the index.
  /// - Parameter row: the record as a row of the customer tables.
  public func apply(
    _ record: Record, _ fields: UnsafePointer<CustomerFields>, row: UnsafeRawBufferPointer, arrivalMs: Int64
  ) -> CustomerChange {
    let id = customerNumber(record.identityBytes)
    let effectiveMs = Self.effectiveMs(fields, arrivalMs: arrivalMs)
    let rowHash = sg_xxh3(row.baseAddress, row.count, 0)
    let before = customers[Int(id)]
    let isNew = before.serial == Self.noSerial
    if !isNew && (effectiveMs < before.effectiveMs || rowHash == before.rowHash) {
      customers[Int(id)].effectiveMs = max(effectiveMs, before.effectiveMs)
      return CustomerChange(
        verdict: .stale, customer: CustomerID(id), left: nil, leftIsAnonymous: false,
        claims: SerialID(before.serial), withdrew: false)
    }
    let sinceMs = consentDate(fields)
    let consents = sinceMs != .max
    rows.remove(before.pendingRow)
    customers[Int(id)].pendingRow = consents && !before.isCurated ? rows.store(row) : PendingRows.none
    customers[Int(id)].effectiveMs = effectiveMs
    customers[Int(id)].rowHash = rowHash
    customers[Int(id)].sinceMs = sinceMs
    claim(id, fields.pointee.serial_number)
    let after = customers[Int(id)].serial
    let moved = !isNew && after != before.serial
    if moved { refreshCoverage(of: before.serial) }
    announce(id)
    return CustomerChange(
      verdict: consents ? .consenting : .notConsenting, customer: CustomerID(id),
      left: moved ? SerialID(before.serial) : nil, leftIsAnonymous: moved && isAnonymous(before.serial),
      claims: SerialID(after),
      withdrew: before.sinceMs != .max && !consents)
  }

  private func customerNumber(_ email: UnsafeRawBufferPointer) -> UInt32 {
    let (id, isNew) = emails.intern(email)
    if isNew { customers.append(Customer()) }
    return id
  }

  private static func effectiveMs(_ fields: UnsafePointer<CustomerFields>, arrivalMs: Int64) -> Int64 {
    fields.pointee.lastUpdateMs ?? fields.pointee.registrationMs ?? arrivalMs
  }

  private func consentDate(_ fields: UnsafePointer<CustomerFields>) -> Int64 {
    guard let ms = fields.pointee.researchMs, ms > 0 else { return .max }
    return min(ms, .max - 1)
  }

  // MARK: Claims

  // A customer without a serial number gets one that no reading can name, so that its accelerometer
  // readings have a place in the join like all others.
  private func claim(_ id: UInt32, _ text: sg_span) {
    let before = customers[Int(id)].serial
    let wasAnonymous = isAnonymous(before)
    let serial: UInt32
    if text.length == 0 {
      serial = wasAnonymous ? before : takeAnonymousSerial()
    } else {
      let (known, isNew) = serialNumbers.intern(
        UnsafeRawBufferPointer(start: text.bytes, count: Int(text.length)))
      serial = isNew ? addSerial(known) : known
    }
    guard serial != before else { return }
    customers[Int(id)].serial = serial
    if before != Self.noSerial { serials[Int(before)].claimants -= 1 }
    if wasAnonymous { freeAnonymousSerials.append(before) }
    addClaimant(id, to: serial)
  }

  /// Whether it stands for no serial number at all.
  private func isAnonymous(_ serial: UInt32) -> Bool {
    serial != Self.noSerial && serialNumbers.key(serial).isEmpty
  }

  private func takeAnonymousSerial() -> UInt32 {
    freeAnonymousSerials.popLast() ?? addSerial(serialNumbers.addAnonymous())
  }

  func addSerial(_ id: UInt32) -> UInt32 {
    serials.append(Serial())
    assert(serials.count == Int(id) + 1, "serial numbers and their names are numbered alike")
    return id
  }

  func addClaimant(_ id: UInt32, to serial: UInt32) {
    let entry = serials[Int(serial)]
    serials[Int(serial)].claimants += 1
    guard let onlyClaimant = entry.onlyClaimant else { return }
    if entry.claimants == 0 {
      serials[Int(serial)].beClaimed(onlyBy: id)
      return
    }
    serials[Int(serial)].beShared(at: shared.count)
    shared.append((SharedClaims(), SharedClaims()))
    announce(onlyClaimant)
  }

  /// Makes a customer's present date count for the serial number it claims.
  func announce(_ id: UInt32) {
    let customer = customers[Int(id)]
    if let place = serials[Int(customer.serial)].shared, customer.sinceMs != .max {
      let entry = SharedClaims.Entry(sinceMs: customer.sinceMs, customer: id)
      shared[place].consented.add(entry) { self.isBacked($0, by: customer.serial) }
      if customer.isCurated {
        shared[place].curated.add(entry) { self.isBacked($0, by: customer.serial, curated: true) }
      }
    }
    refreshCoverage(of: customer.serial)
  }

  private func isBacked(_ entry: SharedClaims.Entry, by serial: UInt32, curated: Bool = false) -> Bool {
    let customer = customers[Int(entry.customer)]
    return customer.serial == serial && customer.sinceMs == entry.sinceMs && (customer.isCurated || !curated)
  }

  private func refreshCoverage(of serial: UInt32) {
    let entry = serials[Int(serial)]
    if let place = entry.shared {
      let consented = shared[place].consented.earliest { self.isBacked($0, by: serial) }
      let curated = shared[place].curated.earliest { self.isBacked($0, by: serial, curated: true) }
      serials[Int(serial)].coverage = Coverage(
        curatedFrom: EventTime(ms: curated), consentedFrom: EventTime(ms: consented))
    } else if let onlyClaimant = entry.onlyClaimant, entry.claimants > 0 {
      let customer = customers[Int(onlyClaimant)]
      serials[Int(serial)].coverage = Coverage(
        curatedFrom: EventTime(ms: customer.isCurated ? customer.sinceMs : .max),
        consentedFrom: EventTime(ms: customer.sinceMs))
    } else {
      serials[Int(serial)].coverage = .none
    }
  }

  // MARK: Readings

  /// Judges accelerometer readings and fills in their customers (`subject`, a guess before). The first trusted
  /// reading of a customer makes it curated and is marked (`curates`).
  /// - Parameter latest: a covered reading after this time is `future`.
  public func judgeAccelerometer(_ records: UnsafeMutableBufferPointer<Record>, latest: EventTime) {
    for place in records.indices where records[place].problem == 0 {
      let record = records[place]
      guard let id = emails.find(record.identityBytes, guess: record.subject) else {
        records[place].verdict = Verdict.unknownCustomer.rawValue
        continue
      }
      let sinceMs = mode.start(EventTime(ms: customers[Int(id)].sinceMs)).ms
      let verdict: Verdict =
        if sinceMs == .max { .noConsent } else if record.time_ms < sinceMs {
          .beforeConsent
        } else if record.time_ms > latest.ms { .future } else { .trusted }
      records[place].subject = id
      records[place].verdict = verdict.rawValue
      if verdict == .trusted && !customers[Int(id)].isCurated {
        customers[Int(id)].isCurated = true
        announce(id)
        records[place].curates = 1
      }
    }
  }

  /// Judges step trainer readings and fills in their serial numbers (`subject`, a guess before). `held` means that a
  /// claimant consents but has no trusted accelerometer reading yet.
  /// - Parameter latest: a reading that consent lets through after this time is `future`.
  public func judgeStepTrainer(_ records: UnsafeMutableBufferPointer<Record>, latest: EventTime) {
    for place in records.indices where records[place].problem == 0 {
      let record = records[place]
      guard let id = serialNumbers.find(record.identityBytes, guess: record.subject),
        serials[Int(id)].claimants > 0
      else {
        records[place].verdict = Verdict.unknownDevice.rawValue
        continue
      }
      var verdict = coverage(of: SerialID(id)).verdict(at: EventTime(ms: record.time_ms))
      if (verdict == .trusted || verdict == .held) && record.time_ms > latest.ms { verdict = .future }
      records[place].subject = id
      records[place].verdict = verdict.rawValue
    }
  }

  // MARK: Rows of customers that wait to be curated

  /// Hands over a customer's row for customers_curated and forgets it; nothing happens when it was handed over
  /// before: a customer is curated once, whatever happens later.
  /// - Parameter take: gets the row's length and returns where to copy it.
  public func takeRow(of customer: CustomerID, _ take: (Int) -> UnsafeMutableRawPointer) {
    let row = customers[Int(customer.raw)].pendingRow
    guard row != PendingRows.none else { return }
    rows.copy(row, to: take)
    rows.remove(row)
    customers[Int(customer.raw)].pendingRow = PendingRows.none
  }
}
