// What a simulation found to be wrong.

/// What is checked, named by what it shows when it fails.
enum SimulationCheck: String {
  /// A message that the broker saw acknowledged is not in the journal.
  case lost
  /// A message is in the journal twice, or in another order than it was sent in.
  case twice
  /// An entry that was durable changed or vanished.
  case journal
  /// The beginnings of sessions are not those that the broker told of.
  case sessions
  /// A start failed, or came across damage, through no fault of the disk.
  case start
  /// The rows are not those of the contract.
  case rows
  case verdicts
  /// The bytes are not those that a gateway without any fault writes.
  case bytes
  /// A reader saw other rows than the table has, or a table that is damaged.
  case readers
  /// Rows were cut, replaced or removed without need.
  case appendOnly
  /// What is on disk does not match its checksums.
  case verification
  /// It did not come to an end.
  case liveness
}

struct SimulationFailure: Error, CustomStringConvertible {
  let check: SimulationCheck
  let description: String

  init(_ check: SimulationCheck, _ description: String) {
    self.check = check
    self.description = "\(check.rawValue): \(description)"
  }
}
