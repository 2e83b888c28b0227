// The consent index as bytes:
//
//     index      serials, customers, free
//     serials    count, then the text of each serial number, by number; empty: an anonymous one
//     customers  count, then each customer, by number:
//                email text, consent date Int64 (.max: no consent), record's date Int64, record's hash
//                UInt64, serial number UInt32, curated Bool; while it waits to be curated its row, a text
//     free       count, then the anonymous serial numbers that nobody claims, UInt32 each, the last one
//                to be used next
//
// Claims and coverage follow from the customers, and are derived anew. The heaps of `SharedClaims` then hold
// only what the index backs; that shows in nothing, because entries that are not backed never count.

import CFastPath
import Records

extension ConsentIndex {
  private static let textBytes = 4
  private static let customerBytes = textBytes + 1 + 3 * 8 + 4 + 1

  // MARK: Encoding

  /// Appends the index, between two batches: then every curated customer's row has been taken.
  public func encode(into encoder: inout StateEncoder) {
    encoder.append(count: serials.count)
    for id in 0..<serials.count { encoder.append(text: serialNumbers.key(UInt32(id))) }
    encoder.append(count: customers.count)
    for id in 0..<customers.count {
      encoder.append(text: emails.key(UInt32(id)))
      encode(customers[id], into: &encoder)
    }
    encoder.append(count: freeAnonymousSerials.count)
    for serial in freeAnonymousSerials { encoder.append(serial) }
  }

  private func encode(_ customer: Customer, into encoder: inout StateEncoder) {
    encoder.append(customer.sinceMs)
    encoder.append(customer.effectiveMs)
    encoder.append(customer.rowHash)
    encoder.append(customer.serial)
    encoder.append(customer.isCurated)
    let row = customer.pendingRow
    precondition(
      (row != PendingRows.none) == customer.awaitsCuration, "a row that was not taken, or taken too early")
    guard customer.awaitsCuration else { return }
    rows.copy(row) { length in
      encoder.append(UInt32(length))
      return encoder.append(length: length)
    }
  }

  // MARK: Decoding

  /// Reads back what `encode` appended. From then on the index answers as the encoded one would.
  public convenience init(
    mode: ConsentMode, hashSeed: UInt64, decoding decoder: inout StateDecoder
  ) throws(StateError) {
    self.init(mode: mode, hashSeed: hashSeed)
    try decodeSerialNumbers(&decoder)
    for _ in 0..<(try decoder.readCount(elementBytes: Self.customerBytes)) { try decodeCustomer(&decoder) }
    try decodeFreeSerialNumbers(&decoder)
  }

  private func decodeSerialNumbers(_ decoder: inout StateDecoder) throws(StateError) {
    let count = try decoder.readCount(elementBytes: Self.textBytes)
    guard count < IdentityTable.limit else {
      throw decoder.error("more serial numbers than there are numbers")
    }
    for _ in 0..<count {
      let text = try decoder.readText()
      if text.isEmpty {
        _ = addSerial(serialNumbers.addAnonymous())
      } else {
        let (id, isNew) = serialNumbers.intern(text)
        guard isNew else { throw decoder.error("a serial number for the second time") }
        _ = addSerial(id)
      }
    }
  }

  private func decodeCustomer(_ decoder: inout StateDecoder) throws(StateError) {
    let email = try decoder.readText()
    guard !email.isEmpty else { throw decoder.error("a customer without an email") }
    guard emails.count < IdentityTable.limit else {
      throw decoder.error("more customers than there are numbers")
    }
    let (id, isNew) = emails.intern(email)
    guard isNew else { throw decoder.error("a customer for the second time") }
    let sinceMs = try decoder.read(Int64.self)
    guard sinceMs > 0 else { throw decoder.error("a consent date that is none") }
    let effectiveMs = try decoder.read(Int64.self)
    let rowHash = try decoder.read(UInt64.self)
    let serial = try decoder.readID(in: 0..<serials.count)
    if serialNumbers.key(serial).isEmpty && serials[Int(serial)].claimants > 0 {
      throw decoder.error("an anonymous serial number of two customers")
    }
    var customer = Customer()
    customer.sinceMs = sinceMs
    customer.effectiveMs = effectiveMs
    customer.rowHash = rowHash
    customer.serial = serial
    customer.isCurated = try decoder.readFlag()
    if customer.awaitsCuration {
      let row = try decoder.readText()
      guard !row.isEmpty, sg_xxh3(row.baseAddress, row.count, 0) == rowHash else {
        throw decoder.error("not the row of the customer's record")
      }
      customer.pendingRow = rows.store(row)
    }
    customers.append(customer)
    addClaimant(id, to: serial)
    announce(id)
  }

  private func decodeFreeSerialNumbers(_ decoder: inout StateDecoder) throws(StateError) {
    var isFree = (0..<serials.count).map { id in
      serials[id].claimants == 0 && serialNumbers.key(UInt32(id)).isEmpty
    }
    let count = try decoder.readCount(elementBytes: 4)
    guard count == isFree.count(where: { $0 }) else {
      throw decoder.error("not the number of anonymous serial numbers that nobody claims")
    }
    for _ in 0..<count {
      let serial = try decoder.readID(in: 0..<serials.count)
      guard isFree[Int(serial)] else { throw decoder.error("a serial number that is not free") }
      isFree[Int(serial)] = false
      freeAnonymousSerials.append(serial)
    }
  }
}

extension ConsentIndex.Customer {
  /// Whether the customer consents and has no trusted reading yet; then its row is kept.
  fileprivate var awaitsCuration: Bool { sinceMs != .max && !isCurated }
}
