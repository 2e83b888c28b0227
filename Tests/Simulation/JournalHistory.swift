// All that was ever durable in the simulated gateway's journal, also what was trimmed since.
//
// Invariant: an entry that was durable once stays as it was, at its position.

import Journal
import TestSupport

/// An entry that outlives its buffer.
struct HistoryEntry: Equatable {
  var position: Int
  var kind: JournalEntryKind
  var arrivalMs: Int64
  var packetID: UInt16
  var flags: UInt8
  var topic: String
  var payload: [UInt8]

  init(_ entry: EntryView) {
    position = entry.position ?? -1
    kind = entry.kind
    arrivalMs = entry.arrivalMs
    packetID = entry.packetID
    flags = entry.flags
    topic = String(decoding: entry.topic, as: UTF8.self)
    payload = Array(entry.payload)
  }

  var text: String { String(decoding: payload, as: UTF8.self) }
}

/// The journal as it would be without trimming.
struct JournalHistory {
  private(set) var entries: [HistoryEntry] = []
  private var places: [Int: Int] = [:]
  private(set) var endPosition = 0

  /// Takes entries that are durable, and compares those that it knows.
  mutating func take(_ buffer: EntryBuffer) throws(SimulationFailure) {
    guard let base = buffer.basePosition else { return }
    for view in buffer {
      let entry = HistoryEntry(view)
      if let place = places[entry.position] {
        if entries[place] == entry { continue }
        throw SimulationFailure(.journal, "\(entries[place]) became \(entry)")
      }
      guard entry.position >= endPosition, base <= endPosition else {
        throw SimulationFailure(.journal, "\(entry) where the journal ended at \(endPosition)")
      }
      places[entry.position] = entries.count
      entries.append(entry)
    }
    endPosition = max(endPosition, base + buffer.byteCount)
  }

  /// Reads the journal on a disk, from its beginning to its end.
  mutating func read(_ process: SimulatedProcess, _ directory: String) throws(SimulationFailure) {
    do {
      let start = try journalStart(fileSystem: process, directory: directory)
      let reader = try JournalReader(fileSystem: process, directory: directory, from: start)
      let buffer = EntryBuffer(capacityBytes: 4096)
      while try reader.read(into: buffer) { try take(buffer) }
      guard reader.position >= endPosition else {
        throw SimulationFailure(
          .journal, "it ends at \(reader.position); entries to \(endPosition) were durable")
      }
    } catch let failure as SimulationFailure { throw failure } catch {
      throw SimulationFailure(.journal, "\(error)")
    }
  }

  /// The entries in buffers of random sizes, as for a player.
  func batches(_ random: inout SeededRandom) -> [EntryBuffer] {
    var batches: [EntryBuffer] = []
    for entry in entries {
      if batches.isEmpty || random.oneIn(4) { batches.append(EntryBuffer(capacityBytes: 4096)) }
      batches.last?.append(entry)
    }
    return batches
  }
}

extension EntryBuffer {
  func append(_ entry: HistoryEntry) {
    var topic = entry.topic
    topic.withUTF8 { topic in
      entry.payload.withUnsafeBytes { payload in
        append(
          kind: entry.kind, arrivalMs: entry.arrivalMs, packetID: entry.packetID, flags: entry.flags,
          topic: UnsafeRawBufferPointer(topic), payload: payload)
      }
    }
  }
}
