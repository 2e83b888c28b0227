// Plays a journal with two threads: one reads, checks and parses, the caller's judges. Half of the time a record
// costs is in each.
//
// Invariants:
// - Pieces are judged in the order in which they were read.
// - When `run` returns or throws, the other thread has ended.

import Dispatch
import Journal
import Pipeline
import Synchronization
import Threads

// `reader`, `parser` and `redeliveries` belong to the reading thread until `run` ends; a piece belongs to the thread
// that took it from a queue.
final class JournalPlayback: @unchecked Sendable {
  private final class Piece: @unchecked Sendable {
    let entries = EntryBuffer()
    let parsed = ParsedEntries()
  }

  private static let pieceCount = 3

  private let reader: JournalReader
  private let parser: EntryParser
  /// Remembers what was read.
  private(set) var redeliveries: RedeliveryFilter
  private let free = BoundedQueue<Piece>(capacity: pieceCount)
  private let filled = BoundedQueue<Piece>(capacity: pieceCount)
  private let failure = Mutex<RecoveryError?>(nil)
  private let thread = DispatchQueue(label: "stepgate.playback")

  init(reader: JournalReader, parser: EntryParser, redeliveries: RedeliveryFilter) {
    self.reader = reader
    self.parser = parser
    self.redeliveries = redeliveries
    for _ in 0..<Self.pieceCount { _ = free.put(Piece()) }
  }

  /// Gives all pieces to `judge`, which returns false to stop early.
  /// - Parameter readsAhead: false does everything on the caller's thread, one piece after the other.
  /// - Returns: whether the end was reached.
  func run(
    readsAhead: Bool, _ judge: (ParsedEntries) throws(RecoveryError) -> Bool
  ) throws(RecoveryError) -> Bool {
    guard readsAhead else {
      let piece = Piece()
      while try readNext(piece) {
        guard try judge(piece.parsed) else { return false }
      }
      return true
    }
    thread.async { self.readAll() }
    defer {
      free.close()
      thread.sync {}
    }
    while let piece = filled.take() {
      guard try judge(piece.parsed) else { return false }
      _ = free.put(piece)
    }
    if let failure = failure.withLock({ $0 }) { throw failure }
    return true
  }

  private func readAll() {
    defer { filled.close() }
    do throws(RecoveryError) {
      while let piece = free.take() {
        guard try readNext(piece) else { return }
        if !filled.put(piece) { return }
      }
    } catch {
      failure.withLock { $0 = error }
    }
  }

  private func readNext(_ piece: Piece) throws(RecoveryError) -> Bool {
    do throws(JournalError) {
      guard try reader.read(into: piece.entries) else { return false }
    } catch { throw .journal(error) }
    do throws(PlayError) { try parser.parse(piece.entries, into: piece.parsed) } catch { throw .play(error) }
    redeliveries.remember(piece.entries)
    return true
  }
}
