// A process that a test starts, without what it prints.
//
// Invariants:
// - It has three descriptors, those it is given: tests run at the same time, and a process that held another
//   test's socket or pipe would keep that open however often it is closed.
// - It is signalled only while it has not been reaped, so never a stranger that got its number.
// - It is reaped as soon as it ends.

import CSpawn
import Foundation

/// A process started with posix_spawn.
///
/// `@unchecked Sendable`: `state` is read and written with its lock held.
public final class SpawnedProcess: @unchecked Sendable {
  /// How a process ended.
  public enum Ending: Equatable, Sendable {
    case exited(Int32)
    case killed(signal: Int32)
  }

  /// What the reaping thread shares with the test; outlives the `SpawnedProcess`.
  private final class State: @unchecked Sendable {
    let lock = NSLock()
    var ending: Ending?
  }

  /// The process's number.
  public let pid: pid_t
  private let state = State()

  /// Starts the executable at a path.
  ///
  /// - Parameters:
  ///   - environment: all of it; nothing is inherited.
  ///   - input: a file, which may be a named pipe.
  ///   - output: a descriptor, which stays the caller's; so does `error`.
  ///   - onEnd: called on a thread of its own, once the process was reaped.
  public init(
    _ executable: String, _ arguments: [String], environment: [String: String], input: String, output: Int32,
    error: Int32, onEnd: @escaping @Sendable (Ending) -> Void = { _ in }
  ) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_adddup2(&actions, error, 2)
    spawn_close_from(&actions, 3)

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

    var argv = ([executable] + arguments).map { strdup($0) } + [nil]
    var envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { (argv + envp).forEach { free($0) } }
    var pid: pid_t = 0
    let code = posix_spawn(&pid, executable, &actions, &attributes, &argv, &envp)
    guard code == 0 else {
      throw ChildProcess.Failure(
        description: "cannot start \(executable): \(String(cString: strerror(code)))")
    }
    self.pid = pid
    Self.reap(pid, into: state, onEnd)
  }

  /// How the process ended, nil while it runs.
  public var ending: Ending? {
    state.lock.withLock { state.ending }
  }

  /// Sends a signal, unless the process has ended.
  public func signal(_ number: Int32) {
    state.lock.withLock {
      if state.ending == nil { _ = kill(pid, number) }
    }
  }

  private static func reap(_ pid: pid_t, into state: State, _ onEnd: @escaping @Sendable (Ending) -> Void) {
    Thread.detachNewThread {
      // Leaves the process a zombie, so that its number stays its own until the lock is held.
      var info = siginfo_t()
      while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR {}
      let ending = state.lock.withLock {
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        let signal = status & 0x7F
        let ending: Ending = signal == 0 ? .exited((status >> 8) & 0xFF) : .killed(signal: signal)
        state.ending = ending
        return ending
      }
      onEnd(ending)
    }
  }
}
