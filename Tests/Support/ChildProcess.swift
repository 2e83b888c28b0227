// A process that a test starts, listens to and stops.
//
// Invariants:
// - Whatever happens to the test, the process is killed and reaped when its `ChildProcess` is released.
// - It is signalled only while it has not been reaped, so never a stranger that got its number.
// - Every wait has a deadline.

import Foundation

/// A process started with posix_spawn, its output captured line by line.
///
/// `@unchecked Sendable`: all mutable state is in `state`, whose every access holds its lock.
public final class ChildProcess: @unchecked Sendable {
  /// Where a line came from.
  public enum Stream: Sendable {
    case output
    case error
  }

  /// How the process ended.
  public enum Ending: Equatable, Sendable {
    case exited(Int32)
    case killed(signal: Int32)
  }

  /// What a wait or a start can fail with, with what the process had said until then.
  public struct Failure: Error, CustomStringConvertible {
    public let description: String
  }

  /// What the reading and reaping threads share with the test; outlives the `ChildProcess`.
  private final class State: @unchecked Sendable {
    let condition = NSCondition()
    var outputLines: [String] = []
    var errorLines: [String] = []
    var openStreams = 2
    var ending: Ending?
  }

  /// The process's number.
  public let pid: pid_t
  private let name: String
  private let state = State()

  /// Starts the executable at a path. The environment is the test's own, with `environment` on top; standard
  /// input is read from `inputFile`, which may be a named pipe.
  public init(
    _ executable: String, _ arguments: [String], environment: [String: String] = [:],
    inputFile: String = "/dev/null"
  ) throws {
    name = executable.split(separator: "/").last.map(String.init) ?? executable
    Self.spawning.lock()
    defer { Self.spawning.unlock() }
    let output = try Self.makePipe()
    let error = try Self.makePipe()
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, inputFile, O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output.write, 1)
    posix_spawn_file_actions_adddup2(&actions, error.write, 2)

    // The test's thread may block signals (libdispatch does) and libmosquitto ignores SIGPIPE: a child
    // inherits both, and would not even hear SIGTERM.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigaddset(&signals, SIGPIPE)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

    let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    var argv = ([executable] + arguments).map { strdup($0) } + [nil]
    var envp = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { (argv + envp).forEach { free($0) } }
    var pid: pid_t = 0
    let code = posix_spawn(&pid, executable, &actions, &attributes, &argv, &envp)
    close(output.write)
    close(error.write)
    guard code == 0 else {
      close(output.read)
      close(error.read)
      throw Failure(description: "cannot start \(executable): \(String(cString: strerror(code)))")
    }
    self.pid = pid
    Self.read(output.read, into: state) { $0.outputLines.append($1) }
    Self.read(error.read, into: state) { $0.errorLines.append($1) }
    Self.reap(pid, into: state)
  }

  deinit {
    kill()
    _ = try? waitForExit(timeoutSeconds: 10)
  }

  /// The lines so far.
  public func lines(of stream: Stream) -> [String] {
    state.condition.withLock { stream == .output ? state.outputLines : state.errorLines }
  }

  /// How the process ended, nil while it runs.
  public var ending: Ending? {
    state.condition.withLock { state.ending }
  }

  /// The first line of `stream` that satisfies `isWanted`, as soon as it is there.
  @discardableResult
  public func waitForLine(
    of stream: Stream = .output, timeoutSeconds: Double = 10, where isWanted: (String) -> Bool
  ) throws -> String {
    var found: String?
    try wait(timeoutSeconds, for: "the wanted line") { state in
      found = (stream == .output ? state.outputLines : state.errorLines).first(where: isWanted)
      return found != nil
    }
    guard let found else { throw failure("was asked for a line that is not there") }
    return found
  }

  /// How the process ended, once it has and all its output is there.
  @discardableResult
  public func waitForExit(timeoutSeconds: Double = 10) throws -> Ending {
    try wait(timeoutSeconds, for: "its end") { $0.ending != nil && $0.openStreams == 0 }
    guard let ending else { throw failure("has not ended") }
    return ending
  }

  /// Sends a signal, unless the process has ended.
  public func signal(_ number: Int32) {
    state.condition.withLock {
      if state.ending == nil { _ = Foundation.kill(pid, number) }
    }
  }

  /// SIGKILL: ends the process as a crash or a power cut would.
  public func kill() {
    signal(SIGKILL)
  }

  /// SIGTERM, then SIGKILL if that has not helped in time.
  @discardableResult
  public func stop(timeoutSeconds: Double = 5) throws -> Ending {
    signal(SIGTERM)
    if let ending = try? waitForExit(timeoutSeconds: timeoutSeconds) { return ending }
    kill()
    return try waitForExit()
  }

  /// Runs a program to its end and returns its output; throws unless it exits with 0.
  @discardableResult
  public static func run(
    _ executable: String, _ arguments: [String], timeoutSeconds: Double = 30
  ) throws -> [String] {
    let process = try ChildProcess(executable, arguments)
    guard try process.waitForExit(timeoutSeconds: timeoutSeconds) == .exited(0) else {
      throw process.failure("failed")
    }
    return process.lines(of: .output)
  }

  private func wait(_ timeoutSeconds: Double, for what: String, _ isDone: (State) -> Bool) throws {
    let deadline = Date(timeIntervalSinceNow: timeoutSeconds)
    state.condition.lock()
    while !isDone(state) {
      let isOver = state.ending != nil && state.openStreams == 0
      guard !isOver, state.condition.wait(until: deadline) else {
        state.condition.unlock()
        throw failure(isOver ? "ended before \(what)" : "did not reach \(what) within \(timeoutSeconds) s")
      }
    }
    state.condition.unlock()
  }

  private func failure(_ what: String) -> Failure {
    let said = (lines(of: .output) + lines(of: .error)).suffix(20).joined(separator: "\n")
    return Failure(
      description: "\(name) (\(pid)) \(what); ending: \(String(describing: ending)); it said:\n\(said)")
  }

  /// Held from the making of pipes to the start of their process: another child started in between would
  /// inherit them and keep them open. (Glibc's `pipe2` is not visible from Swift.)
  private static let spawning = NSLock()

  private static func makePipe() throws -> (read: Int32, write: Int32) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0, ends.allSatisfy({ fcntl($0, F_SETFD, FD_CLOEXEC) == 0 }) else {
      throw Failure(description: "cannot make a pipe: \(String(cString: strerror(errno)))")
    }
    return (ends[0], ends[1])
  }

  private static func read(
    _ descriptor: Int32, into state: State, _ append: @escaping @Sendable (State, String) -> Void
  ) {
    Thread.detachNewThread {
      guard let stream = fdopen(descriptor, "r") else { return }
      var buffer: UnsafeMutablePointer<CChar>?
      var capacity = 0
      while getline(&buffer, &capacity, stream) >= 0, let buffer {
        let line = String(cString: buffer).trimmingCharacters(in: .newlines)
        state.condition.withLock {
          append(state, line)
          state.condition.broadcast()
        }
      }
      free(buffer)
      fclose(stream)
      state.condition.withLock {
        state.openStreams -= 1
        state.condition.broadcast()
      }
    }
  }

  private static func reap(_ pid: pid_t, into state: State) {
    Thread.detachNewThread {
      // Leaves the process a zombie, so that its number stays its own until the lock is held.
      var info = siginfo_t()
      while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR {}
      state.condition.withLock {
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        let signal = status & 0x7F
        state.ending = signal == 0 ? .exited((status >> 8) & 0xFF) : .killed(signal: signal)
        state.condition.broadcast()
      }
    }
  }
}
