// A mosquitto of a test's own: a free loopback port, a temporary folder, gone when the test is.

import Foundation

/// A broker that one test starts, stops, kills and restarts.
///
/// Its port and its folder stay the same over restarts. Not Sendable: one test, one thread at a time.
public final class PrivateBroker {
  /// How the broker is to behave.
  public struct Options {
    /// Sessions and queued messages survive a restart.
    public var isPersistent = false
    /// Clients must log in as this user.
    public var login: (user: String, password: String)?
    /// The listener speaks TLS, with these certificates.
    public var certificates: TestCertificates?
    /// Clients must show a certificate of the same authority.
    public var requiresClientCertificate = false
    /// `max_inflight_messages`; nil is mosquitto's own, 20.
    public var maxInflightMessages: Int?
    /// `max_queued_messages`; 0 is no limit.
    public var maxQueuedMessages = 0
    /// Logs no packets: with hundreds of thousands of them the lines would cost more than the messages.
    public var isQuiet = false
    /// Lines for the configuration file as they are.
    public var extraLines: [String] = []

    /// A plain broker that queues without limit.
    public init() {}
  }

  /// Where it listens.
  public let host = "127.0.0.1"
  /// Its port, the same after a restart.
  public private(set) var port: UInt16 = 0
  /// Its configuration and its persistent state.
  public let folder: String
  private let options: Options
  private var process: ChildProcess?

  /// Starts a broker and waits until it accepts connections.
  public init(_ options: Options = Options()) throws {
    self.options = options
    folder = try temporaryFolder("stepgate-broker")
    do {
      try startOnFreePort()
    } catch {
      // A throwing initialiser runs no deinit.
      try? FileManager.default.removeItem(atPath: folder)
      throw error
    }
  }

  deinit {
    process?.kill()
    process = nil
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// What the broker logged since its last start.
  public var log: [String] { process?.lines(of: .error) ?? [] }

  /// The broker's process while it runs, e.g. to stop it with SIGSTOP.
  public var running: ChildProcess? { process }

  /// Starts the broker again, on the same port.
  public func start() throws {
    precondition(process == nil)
    try launch()
  }

  /// Ends the broker in good order: it writes its persistent state.
  public func stop() throws {
    try process?.stop()
    process = nil
  }

  /// Ends the broker as a crash would: what it has not written is gone.
  public func kill() throws {
    process?.kill()
    try process?.waitForExit()
    process = nil
  }

  /// Has it write its persistent state as it is now (SIGUSR1, mosquitto(8)), and waits until it has.
  public func save() throws {
    let state = folder + "/mosquitto.db"
    let before = fileNumber(state)
    process?.signal(SIGUSR1)
    // It writes to a file beside it, and renames that.
    let deadline = Date(timeIntervalSinceNow: 10)
    while fileNumber(state) == before {
      guard Date() < deadline else {
        throw ChildProcess.Failure(description: "mosquitto does not write \(state)")
      }
      usleep(1_000)
    }
  }

  /// `stop` and `start`.
  public func restart() throws {
    try stop()
    try start()
  }

  /// Between the choice of a free port and its use anybody may take it: then another one will do.
  private func startOnFreePort() throws {
    for attempt in 1...5 {
      port = try freePort()
      do {
        return try launch()
      } catch  where attempt < 5 && log.contains(where: { $0.contains("Address already in use") }) {
        process = nil
      }
    }
  }

  private func launch() throws {
    let path = folder + "/mosquitto.conf"
    try writeConfiguration(to: path)
    let started = try ChildProcess("/usr/sbin/mosquitto", ["-c", path])
    process = started
    let deadline = Date(timeIntervalSinceNow: 10)
    while !acceptsConnections(port) {
      guard started.ending == nil, Date() < deadline else {
        _ = try? started.waitForExit(timeoutSeconds: 1)
        throw ChildProcess.Failure(
          description: "mosquitto does not accept connections on port \(port):\n"
            + started.lines(of: .error).joined(separator: "\n"))
      }
      usleep(5_000)
    }
  }

  private func writeConfiguration(to path: String) throws {
    var lines = [
      "listener \(port) \(host)", "log_dest stderr",
      // Started by root it would become the user "mosquitto", who may not write to the folder.
      "user \(NSUserName())",
      "persistence \(options.isPersistent)", "persistence_location \(folder)/",
      "max_queued_messages \(options.maxQueuedMessages)",
    ]
    let logTypes = options.isQuiet ? ["error", "warning", "notice", "information"] : ["all"]
    lines += logTypes.map { "log_type \($0)" }
    if let maximum = options.maxInflightMessages { lines.append("max_inflight_messages \(maximum)") }
    if let login = options.login {
      let passwords = folder + "/passwords"
      if !FileManager.default.fileExists(atPath: passwords) {
        try ChildProcess.run(
          "/usr/bin/mosquitto_passwd", ["-c", "-b", passwords, login.user, login.password])
      }
      lines += ["allow_anonymous false", "password_file \(passwords)"]
    } else {
      lines.append("allow_anonymous true")
    }
    if let certificates = options.certificates {
      lines += [
        "cafile \(certificates.caFile)", "certfile \(certificates.serverFile)",
        "keyfile \(certificates.serverKeyFile)",
        "require_certificate \(options.requiresClientCertificate)",
      ]
    }
    lines += options.extraLines
    try (lines.joined(separator: "\n") + "\n").write(toFile: path, atomically: true, encoding: .utf8)
  }
}

/// A port of 127.0.0.1 that nobody listens on at the moment.
public func freePort() throws -> UInt16 {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  defer { close(descriptor) }
  var address = loopback(port: 0)
  var addressBytes = socklen_t(MemoryLayout<sockaddr_in>.size)
  let isBound = withGeneric(&address) {
    bind(descriptor, $0, addressBytes) == 0 && getsockname(descriptor, $0, &addressBytes) == 0
  }
  guard isBound else { throw ChildProcess.Failure(description: "no free port: errno \(errno)") }
  return UInt16(bigEndian: address.sin_port)
}

private func acceptsConnections(_ port: UInt16) -> Bool {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  defer { close(descriptor) }
  var address = loopback(port: port)
  return withGeneric(&address) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
}

private func loopback(port: UInt16) -> sockaddr_in {
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = port.bigEndian
  address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
  return address
}

private func withGeneric<Result>(
  _ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>) -> Result
) -> Result {
  withUnsafeMutablePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1, body)
  }
}

/// The number that tells a file from one that takes its name later; nil if there is none.
private func fileNumber(_ path: String) -> UInt64? {
  var status = stat()
  return stat(path, &status) == 0 ? UInt64(status.st_ino) : nil
}

/// A new empty folder; the caller removes it.
func temporaryFolder(_ name: String) throws -> String {
  var template = Array((NSTemporaryDirectory() + "/\(name).XXXXXX").utf8CString)
  guard mkdtemp(&template) != nil else {
    throw ChildProcess.Failure(description: "cannot make a temporary folder: errno \(errno)")
  }
  return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
