// Serves status page, metrics and health over HTTP, on one thread of its own.
//
// Invariants:
// - All that it does, tasks included, is done on its own event loop: the hot threads and Swift's shared pool, which
//   the daemon may be blocking, know nothing of it.
// - It only reads what the status board has; whatever a client does, ingest does not notice.
// - Connections, their length, and what is read of a request are bounded (`ConnectionGuard`, `header...` below).

import Glibc
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import Settings
import Synchronization

/// The address of `http.listen` cannot be listened on.
public struct ListenError: Error, CustomStringConvertible {
  public let description: String
}

/// Whether the port was taken.
private final class Listens: Sendable {
  let flag = Atomic(false)
}

/// A server that listens until it is stopped.
public final class StatusServer: Sendable {
  private static let headerBytes = 16 << 10
  private static let headerFields = 64
  private static let idleSeconds = Int64(15)
  // More than this wait in the kernel's queue.
  private static let acceptedConnections = 256

  /// Where it listens, with the port that was taken.
  public let address: HostAndPort
  private let group: MultiThreadedEventLoopGroup
  private let task: Task<Void, Never>
  private let ended: EventLoopPromise<Void>

  /// Listens, or says why it cannot.
  /// - Parameter listen: port 0 takes a free one.
  public init(_ listen: HostAndPort, board: StatusBoard, log: Logger) throws(ListenError) {
    group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let loop = group.next()
    let bound = loop.makePromise(of: Int.self)
    let ended = loop.makePromise(of: Void.self)
    self.ended = ended
    let listens = Listens()
    let application = Self.application(listen, board, group, log) { port in
      listens.flag.store(true, ordering: .relaxed)
      bound.succeed(port)
    }
    task = Task(executorPreference: EventLoopExecutor(loop)) {
      do { try await application.run() } catch {
        bound.fail(error)
        // Whatever happens to it, the gateway goes on.
        if listens.flag.load(ordering: .relaxed) && !Task.isCancelled {
          log.error("the status page is gone: \(error)")
        }
      }
      ended.succeed()
    }
    do {
      address = HostAndPort(host: listen.host, port: try bound.futureResult.wait())
    } catch {
      address = listen
      shutDown()
      throw ListenError(description: Self.reason(error, listen))
    }
  }

  private static func application(
    _ listen: HostAndPort, _ board: StatusBoard, _ group: MultiThreadedEventLoopGroup, _ log: Logger,
    onBound: @escaping @Sendable (Int) -> Void
  ) -> some ApplicationProtocol {
    let connections = ConnectionCount()
    let http = HTTP1Channel.Configuration(
      additionalChannelHandlers: [ConnectionGuard(connections)], idleTimeout: .seconds(idleSeconds),
      httpDecoderConfiguration: .init(
        maxHeaderFieldSize: headerBytes, maxHeaderListSize: headerBytes, maxHeaderFieldCount: headerFields))
    // The framework's own lines are for its makers.
    var quietLog = log
    quietLog.logLevel = .critical
    return Application(
      responder: StatusResponder(board: board, listenHost: listen.host),
      server: .http1(configuration: http),
      configuration: ApplicationConfiguration(
        address: .hostname(listen.host, port: listen.port),
        availableConnectionsDelegate: .maximum(acceptedConnections, logger: quietLog)),
      onServerRunning: { channel in onBound(channel.localAddress?.port ?? listen.port) },
      eventLoopGroupProvider: .shared(group), logger: quietLog)
  }

  private static func reason(_ error: any Error, _ listen: HostAndPort) -> String {
    guard let error = error as? IOError else { return "cannot listen on \(listen): \(error)" }
    if error.errnoCode == EADDRINUSE {
      return
        "cannot listen on \(listen): another process has the port; choose another one, or set http.enabled to false"
    }
    return "cannot listen on \(listen): \(String(cString: strerror(error.errnoCode)))"
  }

  /// Closes all connections and ends its thread.
  public func stop() {
    task.cancel()
    shutDown()
  }

  private func shutDown() {
    try? ended.futureResult.wait()
    try? group.syncShutdownGracefully()
  }
}
