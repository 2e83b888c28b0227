// Fetches ahead what judging some readings will look at.
//
// Why: identities come in any order, so each reading looks at half a dozen places of which none is in the cache. One
// reading after another, that is much of its time; here the waits of a group of readings overlap (group prefetching:
// Chen, Ailamaki, Gibbons, Mowry, "Improving Hash Join Performance through Prefetching", ICDE 2004).
//
// Invariant: nothing is decided: without this all is the same, but slower. The number that a reading gets is a guess
// by 32 bits of a hash, which `IdentityTable.find` checks.

import CFastPath
import Records

extension ConsentIndex {
  /// Readings, wherever they lie.
  public typealias Readings = UnsafeBufferPointer<UnsafeMutablePointer<Record>>

  /// Begins to fetch what is known of the customers of some accelerometer readings, which get their customers'
  /// numbers, most likely, as `subject`.
  /// - Parameter serials: gets, in front, the serial numbers that these customers claim.
  /// - Returns: how many those are.
  public func fetchCustomers(_ readings: Readings, serials: UnsafeMutableBufferPointer<SerialID>) -> Int {
    guessIDs(of: readings, in: emails)
    for reading in readings where reading.pointee.subject != IdentityTable.none {
      sg_prefetch(customers.base + Int(reading.pointee.subject))
    }
    var count = 0
    for reading in readings where reading.pointee.subject != IdentityTable.none {
      emails.fetchText(reading.pointee.subject, byteCount: reading.pointee.identityBytes.count)
      serials[count] = SerialID(customers[Int(reading.pointee.subject)].serial)
      count += 1
    }
    return count
  }

  /// Begins to fetch what is known of the serial numbers of some step trainer readings, which get these numbers'
  /// numbers, most likely, as `subject`.
  /// - Parameter serials: gets, in front, those that are known.
  /// - Returns: how many those are.
  public func fetchSerials(_ readings: Readings, serials: UnsafeMutableBufferPointer<SerialID>) -> Int {
    guessIDs(of: readings, in: serialNumbers)
    var count = 0
    for reading in readings where reading.pointee.subject != IdentityTable.none {
      let id = reading.pointee.subject
      sg_prefetch_bytes(self.serials.base + Int(id), MemoryLayout<Serial>.size)
      serialNumbers.fetchText(id, byteCount: reading.pointee.identityBytes.count)
      serials[count] = SerialID(id)
      count += 1
    }
    return count
  }

  /// Begins to fetch what pairs need of the customers who claim some serial numbers alone: dates and emails. To be called
  /// some time after `fetchSerials`.
  public func fetchClaimants(of serials: UnsafeBufferPointer<SerialID>) {
    for serial in serials {
      guard let claimant = self.serials[Int(serial.raw)].onlyClaimant else { continue }
      sg_prefetch(customers.base + Int(claimant))
      emails.fetchPlace(claimant)
    }
    for serial in serials {
      guard let claimant = self.serials[Int(serial.raw)].onlyClaimant else { continue }
      emails.fetchText(claimant, byteCount: Self.usualEmailBytes)
    }
  }

  private static let usualEmailBytes = 30

  private func guessIDs(of readings: Readings, in table: borrowing IdentityTable) {
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: readings.count) { hashes in
      for place in readings.indices { hashes[place] = table.fetchSlot(readings[place].pointee.identityBytes) }
      for place in readings.indices { readings[place].pointee.subject = table.fetchKey(hashes[place]) }
    }
  }
}
