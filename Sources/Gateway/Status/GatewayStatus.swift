// All that the gateway tells of itself: what /status.json holds, and what page, metrics and `stepgate status`
// show.
//
// Invariants:
// - Nothing in here names a person: no email, no serial number, no topic of a message.
// - Every list has a bound.
// - In JSON the names are in snake case; a time is milliseconds since 1970-01-01 UTC and ends in `at_ms`.

import FoundationEssentials
import Ingest
import Service

/// The gateway at one moment.
public struct GatewayStatus: Codable, Equatable, Sendable {
  public var version = stepgateVersion
  public var phase = Phase.starting
  public var health = Health()
  public var startedAtMs: Int64 = 0
  public var nowAtMs: Int64 = 0
  public var connection = Connection()
  /// Nil until the journal is played.
  public var pipeline: Pipeline?
  public var journal = Journal()
  public var checkpoint = Checkpoint()
  public var disk = Disk()
  /// Nil until the settings were reloaded for the first time.
  public var reload: Reload?
  /// Whether the customer files could be read when they were last; nil where there are none.
  public var customerFilesAreGood: Bool?
  public var process = Process()
  public var rates = Rates()
  /// The last rows of machine_learning_curated, newest first.
  public var curated: [CuratedRow] = []
  /// The last quarter of an hour, oldest first.
  public var history: [HistoryPoint] = []

  /// What the daemon is about.
  public enum Phase: String, Codable, Sendable {
    case starting, recovering, waitingForCustomers = "waiting_for_customers", running, stopping
  }

  /// Whether it is well, in words.
  public struct Health: Codable, Equatable, Sendable {
    public enum Level: String, Codable, Sendable {
      case good, attention, bad
    }

    public var level = Level.attention
    /// One sentence.
    public var headline = ""
    /// What else there is to say, a sentence each.
    public var details: [String] = []
  }

  /// The connection to the broker, and what came over it since the process began.
  public struct Connection: Codable, Equatable, Sendable {
    /// Not in JSON, which has what it says of numbers and names.
    var state = ConnectionState.connecting
    /// `HOST:PORT`.
    public var broker = ""
    public var isSubscribed = false
    public var sinceAtMs: Int64?
    public var sessionPresent = false
    public var connects = 0
    public var lastError: String?
    /// The topic filters that the broker refused.
    public var refusedFilters: [String] = []
    public var messages = 0
    /// Messages among these that were in the journal already.
    public var redelivered = 0
    /// How often the broker had forgotten the session.
    public var sessionsLost = 0
    /// How long ago the ingest thread last told of itself.
    public var silentForMs = 0

    private enum CodingKeys: CodingKey {
      case broker, isSubscribed, sinceAtMs, sessionPresent, connects, lastError, refusedFilters, messages,
        redelivered, sessionsLost, silentForMs
    }
  }

  /// - Parameter nowMs: by the clock of `IngestStatus.toldAtMs`.
  mutating func add(_ ingest: IngestStatus, nowMs: Int) {
    connection.state = ingest.connection.state
    connection.isSubscribed = connection.state.takesMessages
    connection.sinceAtMs = ingest.connection.sinceMs
    connection.sessionPresent = ingest.connection.sessionPresent
    connection.connects = ingest.connection.connects
    connection.lastError = ingest.connection.lastError
    connection.refusedFilters = connection.state.refusedFilters
    connection.messages = ingest.counts.messages
    connection.redelivered = ingest.counts.redelivered
    connection.sessionsLost = ingest.counts.sessionsLost
    // Before its first word it has not been silent.
    connection.silentForMs = ingest.toldAtMs == 0 ? 0 : max(0, nowMs - ingest.toldAtMs)
    journal.positionBytes = ingest.journalPosition
  }

  public struct Journal: Codable, Equatable, Sendable {
    /// All below is on stable storage.
    public var positionBytes = 0
    /// All below is judged, and its rows are in the tables.
    public var playedPositionBytes = 0
    /// What is kept on disk.
    public var sizeBytes = 0
  }

  /// The newest checkpoint.
  public struct Checkpoint: Codable, Equatable, Sendable {
    /// Nil where this process has written none yet.
    public var writtenAtMs: Int64?
    public var positionBytes = 0
  }

  /// The volume of the data folder.
  public struct Disk: Codable, Equatable, Sendable {
    public var freeBytes = 0
    /// What is to stay free: below, nothing is taken in.
    public var reserveBytes = 0
    public var isLow = false
  }

  /// The last reload of the settings.
  public struct Reload: Codable, Equatable, Sendable {
    public var isGood = false
    public var doneAtMs: Int64 = 0
    /// Keys whose new values take a restart.
    public var restartKeys: [String] = []
  }

  public struct Process: Codable, Equatable, Sendable {
    public var residentBytes = 0
    public var cpuSeconds = 0.0
    public var openFiles = 0
  }

  /// Per second, over the last minute at most.
  public struct Rates: Codable, Equatable, Sendable {
    public var messages = 0.0
    public var records = 0.0
    public var pairs = 0.0
  }

  /// A pair, its customer and its device under names that hold until the process ends and mean nothing.
  public struct CuratedRow: Codable, Equatable, Sendable {
    public var sensorReadingTime: Int64
    public var distanceFromObject: Int64
    public var device: String
    public var customer: String
    public var timestamp: Int64
    /// As they came.
    public var x: Double
    public var y: Double
    public var z: Double
  }

  /// Five seconds.
  public struct HistoryPoint: Codable, Equatable, Sendable {
    /// Their end.
    public var endAtMs: Int64 = 0
    /// Per second.
    public var messages = 0.0
    public var pairs = 0.0
    public var watermarkLagMs: Int64?
    public var readings = 0
    /// The sum of `Join.evictedForMemory`.
    public var evictedForMemory = 0
  }
}

// MARK: JSON

extension GatewayStatus {
  /// One line of JSON.
  public var json: [UInt8] {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Only a number that is not finite could fail, and `Double` comes from divisions by at least a millisecond
    // and from what was JSON before.
    guard let data = try? encoder.encode(self) else { preconditionFailure("a status does not encode") }
    return Array(data) + [UInt8(ascii: "\n")]
  }

  /// Reads what `json` wrote; nil where it is anything else.
  public init?(json: [UInt8]) {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    guard let status = try? decoder.decode(Self.self, from: Data(json)) else { return nil }
    self = status
  }
}
