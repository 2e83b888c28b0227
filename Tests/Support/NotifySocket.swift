// Plays the service manager: a datagram socket that keeps what a service tells it (sd_notify(3)).

import Foundation
import Synchronization

/// A socket to be named in `NOTIFY_SOCKET`. It listens until it is released.
public final class NotifySocket: Sendable {
  /// One message: its assignments, in their order.
  public struct Message: Sendable, Equatable {
    public let assignments: [String]

    /// The value of a variable, if the message has it.
    public subscript(name: String) -> String? {
      assignments.first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) }
    }
  }

  private final class Kept: Sendable {
    let messages = Mutex<[Message]>([])
  }

  /// What `NOTIFY_SOCKET` is to be.
  public let name: String
  private let folder: String?
  private let kept = Kept()

  /// - Parameter isAbstract: whether it has a name that is no file (unix(7)).
  public init(isAbstract: Bool = false) throws {
    if isAbstract {
      folder = nil
      name = "@stepgate-test-\(UUID().uuidString)"
    } else {
      let folder = try temporaryFolder("stepgate-notify")
      self.folder = folder
      name = "\(folder)/notify"
    }
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    // So that the thread sees when nobody is interested any more.
    var timeout = timeval(tv_sec: 0, tv_usec: 100_000)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let path = isAbstract ? [0] + Array(name.utf8.dropFirst()) : Array(name.utf8)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
    let length = MemoryLayout<sa_family_t>.size + path.count
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(length)) }
    }
    guard bound == 0 else {
      close(descriptor)
      throw ChildProcess.Failure(description: "cannot bind \(name): \(String(cString: strerror(errno)))")
    }
    Thread.detachNewThread { [weak kept] in
      defer { close(descriptor) }
      var buffer = [UInt8](repeating: 0, count: 64 << 10)
      while kept != nil {
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { continue }
        let text = String(decoding: buffer[..<count], as: UTF8.self)
        let message = Message(assignments: text.split(separator: "\n").map(String.init))
        kept?.messages.withLock { $0.append(message) }
      }
    }
  }

  deinit { if let folder { try? FileManager.default.removeItem(atPath: folder) } }

  /// All that came so far.
  public var messages: [Message] { kept.messages.withLock { $0 } }

  /// The messages that hold an assignment, e.g. `READY=1`.
  public func count(_ assignment: String) -> Int {
    messages.count { $0.assignments.contains(assignment) }
  }

  /// The last status that was told.
  public var status: String? { messages.last { $0["STATUS"] != nil }?["STATUS"] }
}
