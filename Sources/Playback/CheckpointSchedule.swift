// When a checkpoint is due: by what a restart would have to play, and by time.

/// The settings of `checkpoint.*`.
public struct CheckpointOptions: Sendable {
  /// A checkpoint is due so long after the last one, if anything was journaled meanwhile.
  public var intervalMs: Int
  /// And when so many bytes were.
  public var journalBytes: Int

  public init(intervalMs: Int, journalBytes: Int) {
    self.intervalMs = intervalMs
    self.journalBytes = journalBytes
  }
}

/// Tells when the next checkpoint is due.
public struct CheckpointSchedule {
  public var options: CheckpointOptions
  private var lastPosition: Int
  private var lastMs: Int

  /// - Parameters:
  ///   - position: of the checkpoint that the gateway started from.
  ///   - nowMs: by a clock that never runs backwards.
  public init(_ options: CheckpointOptions, position: Int, nowMs: Int) {
    self.options = options
    lastPosition = position
    lastMs = nowMs
  }

  public func isDue(position: Int, nowMs: Int) -> Bool {
    let bytes = position - lastPosition
    return bytes >= options.journalBytes || (bytes > 0 && nowMs - lastMs >= options.intervalMs)
  }

  /// One was asked for.
  public mutating func began(position: Int, nowMs: Int) {
    lastPosition = position
    lastMs = nowMs
  }
}
