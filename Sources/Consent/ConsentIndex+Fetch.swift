// Fetches ahead what judging some readings will look at.
//
// Why: identities come in any order, so each reading looks at half a dozen places of which none is in the cache. One
// reading after another, that is much of its time; here the waits of a group of readings overlap (group prefetching:
// Chen, Ailamaki, Gibbons, Mowry, "Improving Hash Join Performance through Prefetching", ICDE 2004).
//
// Invariant: nothing is changed and nothing decided: without this all is the same, but slower.

import CFastPath
import Records

extension ConsentIndex {
  /// Begins to fetch what is known of some customers.
  /// - Parameter serials: gets, in front, the serial numbers that they most likely claim.
  /// - Returns: how many those are.
  public func fetchCustomers(
    _ identities: UnsafeBufferPointer<UnsafeRawBufferPointer>, serials: UnsafeMutableBufferPointer<SerialID>
  ) -> Int {
    withIDs(of: identities, in: emails) { ids in
      for id in ids { sg_prefetch(customers.base + Int(id)) }
      for (place, id) in ids.enumerated() {
        emails.fetchText(id)
        serials[place] = SerialID(customers[Int(id)].serial)
      }
      return ids.count
    }
  }

  /// Begins to fetch what is known of some serial numbers.
  /// - Parameter serials: gets, in front, those that are known.
  /// - Returns: how many those are.
  public func fetchSerials(
    _ identities: UnsafeBufferPointer<UnsafeRawBufferPointer>, serials: UnsafeMutableBufferPointer<SerialID>
  ) -> Int {
    withIDs(of: identities, in: serialNumbers) { ids in
      for (place, id) in ids.enumerated() {
        sg_prefetch(self.serials.base + Int(id))
        serialNumbers.fetchText(id)
        serials[place] = SerialID(id)
      }
      return ids.count
    }
  }

  /// Gives `body` the numbers that the known ones among the identities most likely have.
  private func withIDs<Result>(
    of identities: UnsafeBufferPointer<UnsafeRawBufferPointer>, in table: borrowing IdentityTable,
    _ body: (UnsafeMutableBufferPointer<UInt32>) -> Result
  ) -> Result {
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: identities.count) { hashes in
      withUnsafeTemporaryAllocation(of: UInt32.self, capacity: identities.count) { ids in
        for place in identities.indices { hashes[place] = table.fetchSlot(identities[place]) }
        var count = 0
        for hash in hashes {
          guard let id = table.fetchKey(hash) else { continue }
          ids[count] = id
          count += 1
        }
        return body(UnsafeMutableBufferPointer(rebasing: ids[..<count]))
      }
    }
  }
}
