// A process that a test starts, listens to and stops.
//
// Invariants:
// - Whatever happens to the test, the process is killed and reaped when its `ChildProcess` is released.
// - Every wait has a deadline.

import Foundation

/// A process, its output captured line by line.
///
/// `@unchecked Sendable`: all mutable state is in `state`, whose every access holds its lock.
public final class ChildProcess: @unchecked Sendable {
  /// Where a line came from.
  public enum Stream: Sendable {
    case output
    case error
  }

  public typealias Ending = SpawnedProcess.Ending

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
    /// Beside the lines, so that a wait sees both at one moment.
    var ending: Ending?
  }

  /// The process's number.
  public var pid: pid_t { process.pid }
  private let process: SpawnedProcess
  private let name: String
  private let state = State()

  /// Starts the executable at a path. The environment is the test's own, with `environment` on top; standard
  /// input is read from `inputFile`, which may be a named pipe.
  public init(
    _ executable: String, _ arguments: [String], environment: [String: String] = [:],
    inputFile: String = "/dev/null"
  ) throws {
    name = executable.split(separator: "/").last.map(String.init) ?? executable
    let output = try Self.makePipe()
    let error = try Self.makePipe()
    // The child's are copies; once it has closed those, or was never started, the readers come to the end.
    defer {
      close(output.write)
      close(error.write)
    }
    let state = state
    Self.read(output.read, into: state) { $0.outputLines.append($1) }
    Self.read(error.read, into: state) { $0.errorLines.append($1) }
    process = try SpawnedProcess(
      executable, arguments, environment: ProcessInfo.processInfo.environment.merging(environment) { $1 },
      input: inputFile, output: output.write, error: error.write,
      onEnd: { ending in
        state.condition.withLock {
          state.ending = ending
          state.condition.broadcast()
        }
      })
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
  public var ending: Ending? { state.condition.withLock { state.ending } }

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
  public func signal(_ number: Int32) { process.signal(number) }

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

  private static func makePipe() throws -> (read: Int32, write: Int32) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else {
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
}
