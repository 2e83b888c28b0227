// What a client needs to know to connect. Plain data: nothing here touches the network.
//
// Invariant: no description, debug description or mirror of these types shows the password.

/// How to reach a broker, and the session to ask it for.
public struct ConnectOptions: Sendable {
  /// A host name or an address. With TLS the broker's certificate must be made out to it.
  public var host: String

  /// The TCP port, not 0.
  public var port: UInt16

  /// The identity the broker keeps the session under; two clients with the same one drive each other out.
  public var clientID: String

  /// `false` resumes the session that the broker keeps, `true` discards it (MQTT 5, section 3.1.2.4).
  public var cleanStart = false

  /// The user to log in as, if the broker wants one.
  public var username: String?

  /// The user's password.
  public var password: Secret?

  /// The longest silence towards the broker, 5 to 65535; 0 turns keep alive off. Because PINGREQ waits
  /// for a write turn too, turns must come well within it.
  public var keepaliveSeconds: UInt16 = 60

  /// How long the broker keeps the session after the connection ended (MQTT 5, section 3.1.2.11.2).
  public var sessionExpirySeconds: UInt32 = 7 * 24 * 3600

  /// How many QoS 1 messages the broker may send before it gets an acknowledgement, 1 to 65535 (MQTT 5,
  /// section 3.1.2.11.3).
  public var receiveMaximum: UInt16 = 10_000

  /// How many QoS 1 messages this client sends before it gets an acknowledgement; the broker's own
  /// receive maximum lowers it.
  public var sendMaximum: UInt16 = 1_000

  /// The largest packet the broker may send, `nil` for no limit. A broker that honours it silently drops what
  /// is larger (MQTT 5, section 3.1.2.11.4).
  public var maximumPacketBytes: UInt32?

  /// The longest that connecting may take: to a TCP connection, and from there to the broker's CONNACK.
  public var connectTimeoutMs = 5_000

  /// TLS is on when set.
  public var tls: TLSOptions?

  /// Options with every default but where to connect and as whom.
  public init(host: String, port: UInt16, clientID: String) {
    self.host = host
    self.port = port
    self.clientID = clientID
  }
}

/// The PEM files of a TLS connection. The broker's certificate is always verified, its host name too.
public struct TLSOptions: Sendable {
  /// The certificates to trust.
  public var caFile: String

  /// This client's own certificate, when the broker asks for one; only together with `keyFile`.
  public var certificateFile: String?

  /// The certificate's private key, not encrypted: nobody could type its passphrase into a daemon.
  public var keyFile: String?

  /// Trusts the certificates in `caFile`.
  public init(caFile: String, certificateFile: String? = nil, keyFile: String? = nil) {
    self.caFile = caFile
    self.certificateFile = certificateFile
    self.keyFile = keyFile
  }
}

/// A text that never shows in a log line, an error or a debugger's dump.
public struct Secret: Sendable, Equatable, ExpressibleByStringLiteral {
  let text: String

  /// Wraps `text`.
  public init(_ text: String) {
    self.text = text
  }

  /// Wraps a literal.
  public init(stringLiteral text: String) {
    self.text = text
  }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// Always the same, whatever the text.
  public var description: String { "<hidden>" }

  /// Always the same, whatever the text.
  public var debugDescription: String { "<hidden>" }

  /// Empty.
  public var customMirror: Mirror { Mirror(self, children: []) }
}
