// Keeps the consent index at what the customer files say, while the gateway runs: notices that they change, checks
// them, and hands them to the ingest thread.
//
// Invariants:
// - Files that change are left alone until they have been quiet for a moment, but not for ever.
// - Files that cannot be used change nothing; that is one line, and they are looked at again when they change.
// - One set of files is on its way at a time.
// - Files only add to what is known: a customer that is in none of them any more stays as it was. Who withdraws does
//   so by a newer record.

import Dispatch
import Glibc
import Ingest
import Journal
import Logging
import Playback
import Settings
import Storage
import Synchronization
import Threads

/// Watches `customers.path` on a thread of its own.
// `watch`, `last` and `isWatchTold` belong to the thread; all else is behind the mutex or never changes.
final class CustomerFiles: @unchecked Sendable {
  /// The settings that it goes by.
  struct Options: Sendable, Equatable {
    var path: String?
    var maxRecordBytes: Int
    var minFreeBytes: Int

    init(_ settings: Settings) {
      path = settings.customers.path
      maxRecordBytes = settings.limits.maxMessageBytes
      minFreeBytes = settings.storage.minFreeBytes
    }
  }

  private struct State {
    var options: Options
    var isAsked = false
    var isStopping = false
  }

  // A writer that pauses for longer is taken to have finished.
  private static let quietMs = 500
  private static let quietDeadlineMs = 5_000
  // Some file systems (NFS) do not tell of changes.
  private static let lookEveryMs = 60_000

  private let input: LocalInput
  private let fileSystem: any FileSystem
  private let dataDirectory: String
  private let board: ReloadStatusBoard
  private let log: Logger
  private let state: Mutex<State>
  private let wakeUp = WakeUp()
  private let thread = DispatchQueue(label: "stepgate.customers")
  private var watch: FileWatch?
  private var last: FilesFingerprint?

  /// - Parameter loaded: the files as they were just before they were read at the start.
  init(
    _ options: Options, loaded: FilesFingerprint?, input: LocalInput, fileSystem: any FileSystem,
    dataDirectory: String, board: ReloadStatusBoard, log: Logger
  ) {
    state = Mutex(State(options: options))
    last = loaded
    self.input = input
    self.fileSystem = fileSystem
    self.dataDirectory = dataDirectory
    self.board = board
    self.log = log
  }

  func start() { thread.async { self.run() } }

  /// Reads the files again, changed or not, with other settings.
  func read(_ options: Options) {
    state.withLock { state in
      state.options = options
      state.isAsked = true
    }
    wakeUp.signal()
  }

  /// The thread ends when it is done with what it is doing; nobody needs to wait for it.
  func stop() {
    state.withLock { $0.isStopping = true }
    wakeUp.signal()
  }

  // MARK: The thread

  private func run() {
    do throws(WatchError) { watch = try FileWatch() } catch {
      log.warning(
        "customers.path is looked at only every \(Self.lookEveryMs / 1000) s, inotify: \(error.reason)")
    }
    while let (options, isAsked) = nextRound() {
      if let path = options.path {
        // Before the files are looked at: what changes behind the look is then noticed.
        watch?.watch(foldersToWatch(for: path))
        look(at: path, options, isAsked: isAsked)
      } else {
        board.update { $0.areCustomerFilesGood = nil }
      }
      wait()
    }
  }

  private func nextRound() -> (options: Options, isAsked: Bool)? {
    state.withLock { state in
      defer { state.isAsked = false }
      return state.isStopping ? nil : (state.options, state.isAsked)
    }
  }

  private func wait() {
    guard !state.withLock({ $0.isAsked || $0.isStopping }) else { return }
    if let watch {
      watch.wait(timeoutMs: Self.lookEveryMs, wakeUp: wakeUp.descriptor)
    } else {
      var polled = pollfd(fd: wakeUp.descriptor, events: Int16(POLLIN), revents: 0)
      poll(&polled, 1, Int32(Self.lookEveryMs))
    }
    wakeUp.reset()
  }

  private func look(at path: String, _ options: Options, isAsked: Bool) {
    let files = quietFingerprint(path)
    guard isAsked || files != last else { return }
    last = files
    load(path, options)
  }

  /// The files once they have stopped to change, or as they are at the deadline.
  private func quietFingerprint(_ path: String) -> FilesFingerprint {
    var files = FilesFingerprint(path: path)
    if files == last { return files }
    for _ in 0..<(Self.quietDeadlineMs / Self.quietMs) {
      usleep(useconds_t(Self.quietMs * 1000))
      let later = FilesFingerprint(path: path)
      if later == files { break }
      files = later
    }
    return files
  }

  private func load(_ path: String, _ options: Options) {
    do throws(StagingError) {
      let staged = try StagedCustomers(
        path: path, maxRecordBytes: options.maxRecordBytes, minFreeBytes: options.minFreeBytes,
        fileSystem: fileSystem, dataDirectory: dataDirectory)
      handOver(staged)
      let count = staged.recordCount
      log.info("read \(count) customer record\(count == 1 ? "" : "s") from \(path)")
      board.update { $0.areCustomerFilesGood = true }
    } catch {
      log.error("customers.path: \(error); the customers known so far stay as they are")
      board.update { $0.areCustomerFilesGood = false }
    }
    // What is left is removed at the next start at the latest.
    try? StagedCustomers.remove(fileSystem: fileSystem, dataDirectory)
  }

  // Returns when they are durable. If the gateway stops before, the next start reads the files anew.
  private func handOver(_ staged: StagedCustomers) {
    let taken = DispatchSemaphore(value: 0)
    do throws(JournalError) {
      while let piece = try staged.next() { input.put(LocalEntries(piece)) }
      input.put(LocalEntries(EntryBuffer(), whenDurable: { taken.signal() }))
    } catch { input.fail(error) }
    taken.wait()
  }
}
