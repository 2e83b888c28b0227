// What the process is told by signals: SIGTERM and SIGINT to stop, SIGHUP to read its settings again, SIGUSR1 to log
// the counts.

import Dispatch
import Glibc
import Synchronization
public import Threads

/// Listens to the process's signals from its making on.
// The sources only flip atomics, signal a pipe and call what is behind the mutex; they are kept for the process's life.
public final class Signals: @unchecked Sendable {
  private struct Reload {
    var isRequested = false
    var action: (@Sendable () -> Void)?
  }

  /// Signalled with each signal.
  public let wakeUp = WakeUp()
  private let stop = Atomic(false)
  private let counts = Atomic(false)
  private let reload = Mutex(Reload())
  private var sources: [any DispatchSourceSignal] = []

  public init() {
    listen(to: SIGTERM) { $0.stop.store(true, ordering: .relaxed) }
    listen(to: SIGINT) { $0.stop.store(true, ordering: .relaxed) }
    listen(to: SIGUSR1) { $0.counts.store(true, ordering: .relaxed) }
    listen(to: SIGHUP) { $0.requestReload() }
  }

  private func listen(to number: Int32, _ action: @escaping @Sendable (Signals) -> Void) {
    // Dispatch sees a signal only if its own action does not end the process first.
    signal(number, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
    source.setEventHandler { [weak self] in
      guard let self else { return }
      action(self)
      wakeUp.signal()
    }
    source.activate()
    sources.append(source)
  }

  /// Whether the process was told to stop.
  public var stopRequested: Bool { stop.load(ordering: .relaxed) }

  /// Whether the counts were asked for since the last call.
  public func takeCountsRequest() -> Bool { counts.exchange(false, ordering: .relaxed) }

  private func requestReload() {
    let action = reload.withLock { reload in
      reload.isRequested = reload.action == nil
      return reload.action
    }
    action?()
  }

  /// Calls `action` for each SIGHUP from now on, and at once if one came before.
  public func whenReloadRequested(_ action: @escaping @Sendable () -> Void) {
    let isRequested = reload.withLock { reload in
      reload.action = action
      defer { reload.isRequested = false }
      return reload.isRequested
    }
    if isRequested { action() }
  }
}
