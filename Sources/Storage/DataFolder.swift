// What lies where in a data folder, but for the tables, which know their own places (Records, Table).

/// A data folder, `storage.directory`.
public struct DataFolder: Sendable {
  public let path: String

  public init(_ path: String) { self.path = path }

  /// The write-ahead log.
  public var journal: String { "\(path)/journal" }
  public var checkpoints: String { "\(path)/checkpoint" }
  /// Copies of customer files on their way into the journal.
  public var stagedCustomers: String { "\(path)/customers" }
  /// Held by the one process that writes.
  public var lock: String { "\(path)/lock" }
}
