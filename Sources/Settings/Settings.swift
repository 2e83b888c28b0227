// What an operator can set, typed, with its defaults. `Settings.load` fills it from a YAML file and the
// environment; config/stepgate.yaml shows and explains every key.
//
// Invariants: a value of this type that `load` returned is valid in itself and in its combinations, so
// that nobody behind it checks again. Durations are milliseconds, sizes bytes. No secret is in here: a
// password is named by its file and read by `MQTT.readPassword` when it is needed.

public import Join
public import Logging
public import Records

/// Everything an operator can set. `Settings()` is the defaults.
public struct Settings: Equatable, Sendable {
  public var mqtt = MQTT()
  public var topics = Topics()
  public var customers = Customers()
  public var consent = Consent()
  public var join = JoinSettings()
  public var limits = Limits()
  public var landing = Landing()
  public var storage = Storage()
  public var checkpoint = Checkpoint()
  public var http = HTTP()
  public var log = Log()

  /// No duration is longer (ten years), so that a time plus a duration cannot overflow.
  public static let longestDurationMs: Int64 = 3_650 * 86_400_000
  /// No size is larger (a pebibyte), so that a sum of sizes cannot overflow.
  public static let largestSizeBytes: Int64 = 1 << 50

  /// The defaults, with the storage directory `./stepgate-data`.
  public init() {}

  /// The broker, who the gateway is to it, and the session it keeps there.
  public struct MQTT: Equatable, Sendable {
    /// A host name or an IP address; an IPv6 address stands without brackets.
    public var host = "127.0.0.1"
    /// 1 to 65535.
    public var port = 1883
    /// Names the session whose unacknowledged messages the broker keeps (MQTT 5, section 3.1.3.1).
    public var clientID = "stepgate"
    public var username: String?
    /// The file whose first line is the password; only set together with `username`.
    public var passwordFile: String?
    public var tls = TLS()
    /// Whole seconds, 5 s to 65535 s (MQTT 5, section 3.1.2.10).
    public var keepaliveMs: Int64 = 60_000
    /// Whole seconds; how long the broker keeps the session of a gateway that is away
    /// (MQTT 5, section 3.1.2.11.2).
    public var sessionExpiryMs: Int64 = 7 * 24 * 3_600_000
    /// How many messages may be unacknowledged at once, 1 to 65535 (MQTT 5, section 3.1.2.11.3).
    public var receiveMaximum = 10_000
  }

  /// TLS is on when `caFile` is set. The other two are set together or not at all.
  public struct TLS: Equatable, Sendable {
    public var caFile: String?
    public var certificateFile: String?
    public var keyFile: String?

    public var isEnabled: Bool { caFile != nil }
  }

  /// One topic filter for each kind of record (MQTT 5, section 4.7), in which one level may be a
  /// placeholder such as `{serialNumber}`. No topic matches two of them.
  public struct Topics: Equatable, Sendable {
    public var customer = "stedi/customer/#"
    public var accelerometer = "stedi/accelerometer/#"
    public var stepTrainer = "stedi/step_trainer/#"
  }

  public struct Customers: Equatable, Sendable {
    /// A file or a folder of customer records that is read before the first reading is judged.
    public var path: String?
  }

  public struct Consent: Equatable, Sendable {
    /// What the date of a consent means.
    public var asOf = ConsentMode.enforce
  }

  public struct Limits: Equatable, Sendable {
    public var maxMessageBytes = 1 << 20
    /// How far ahead of its arrival a reading's time may be.
    public var futureSkewMs: Int64 = 5 * 60_000
  }

  public struct Landing: Equatable, Sendable {
    /// Whether each well-formed record is also kept as received.
    public var isEnabled = false
  }

  public struct Storage: Equatable, Sendable {
    public var directory = "./stepgate-data"
    /// The size at which a segment is sealed and the next one begins.
    public var segmentBytes = 64 << 20
    /// The age at which a segment is sealed, however small it is.
    public var segmentAgeMs: Int64 = 24 * 3_600_000
    /// With less free space than this the gateway takes no more messages.
    public var minFreeBytes = 256 << 20

    /// Where the data is when nobody says: systemd's state directory, else `./stepgate-data`.
    ///
    /// - Parameter environment: `STATE_DIRECTORY` in it may be a colon-separated list
    ///   (systemd.exec(5), `StateDirectory=`); the first one counts.
    public static func defaultDirectory(environment: [String: String]) -> String {
      let stateDirectories = environment["STATE_DIRECTORY", default: ""].split(separator: ":")
      return stateDirectories.first.map(String.init) ?? Storage().directory
    }
  }

  /// A checkpoint is written when either of the two is reached.
  public struct Checkpoint: Equatable, Sendable {
    public var intervalMs: Int64 = 5 * 60_000
    public var journalBytes = 256 << 20
  }

  public struct HTTP: Equatable, Sendable {
    public var isEnabled = true
    /// Port 0 takes a free one.
    public var listen = HostAndPort(host: "127.0.0.1", port: 9464)
  }

  public struct Log: Equatable, Sendable {
    public var level = Logger.Level.info
  }
}
