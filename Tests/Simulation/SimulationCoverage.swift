// What happened in runs, so that a test can tell that it has seen each kind of fault.

/// Something that may happen in a run.
enum SimulationEvent: String, CaseIterable {
  // How much there was.
  case life = "a process of the gateway"
  case journaledMessage = "a message in the journal"
  case changeOfDisk = "a write, a sync or a change of names"
  // What went wrong with processes and the machine.
  case crashBetweenOperations = "the process died between two file operations"
  case crashBeforeOperation = "the process died before a file operation"
  case crashWithinOperation = "the process died within a file operation"
  case crashInRecovery = "the process died while it recovered"
  case machineDied = "the machine died and kept any part of what was not synced"
  case machineLostAll = "the machine died and lost all that was not synced"
  // What went wrong with the disk.
  case failedOperation = "a write or a change of names failed with EIO"
  case failedSync = "a sync failed with EIO"
  case failedRead = "a read failed with EIO"
  case noSpace = "a write found the disk full"
  case gaveUpWaiting = "told to stop while it waited for space"
  case lowRoom = "it stopped reading for lack of room"
  case damagedCheckpoint = "a damaged checkpoint was set aside"
  // What went wrong with the broker.
  case disconnect = "a connection broke"
  case refusal = "a connection was refused"
  case lostSession = "the broker lost the session"
  case unnoticedSession = "a session began and the gateway died before it was journaled"
  case redelivery = "the broker sent a message again"
  // What the gateway did about it.
  case redeliveryDropped = "a message that came again was dropped"
  case tornJournal = "a torn end of the journal was cut off"
  case tableRepaired = "what a dead machine left of a table was cut off"
  case checkpointWritten = "a checkpoint was written"
  case checkpointUsed = "a start began with a checkpoint"
  case journalPlayed = "a start played entries behind the checkpoint"
  case journalTrimmed = "the journal's oldest segments were removed"
  case engineBehind = "the engine was behind, and reading stopped"
  // What else happened.
  case cleanStop = "told to stop"
  case earlyStop = "told to stop while it recovered"
  case otherSettings = "started with other settings"
  case customerFile = "a customer file was loaded"
  case clockSet = "the clock was set"
  case readerContinued = "a reader went on after the machine had died"
  case segmentSealed = "a table had more than one segment"
  case gapRow = "a row of audit/gaps"
  case pair = "a row of machine_learning_curated"
}

/// How often what happened.
struct SimulationCoverage {
  private var counts: [SimulationEvent: Int] = [:]

  subscript(_ event: SimulationEvent) -> Int { counts[event, default: 0] }

  mutating func count(_ event: SimulationEvent, _ times: Int = 1) {
    if times > 0 { counts[event, default: 0] += times }
  }

  mutating func add(_ other: SimulationCoverage) {
    for (event, times) in other.counts { count(event, times) }
  }

  /// What never happened.
  var missing: [SimulationEvent] { SimulationEvent.allCases.filter { self[$0] == 0 } }

  /// One line for each event.
  var summary: String {
    SimulationEvent.allCases.map { "  \(self[$0])\t\($0.rawValue)" }.joined(separator: "\n")
  }
}
