// A journal in memory and what the gateway does with it.

import Storage
import TestSupport

@testable import Journal

struct JournalRun {
  static let directory = "journal"
  /// What is added to see whether the journal can be written on.
  static let added = [
    JournalRunEntry(kind: .message, packetID: 7, payload: Array("{}".utf8)),
    JournalRunEntry(kind: .customerFile, packetID: 0, payload: []),
  ]

  private let fileSystem: MemoryFileSystem

  init(_ fileSystem: MemoryFileSystem) { self.fileSystem = fileSystem }

  struct Reading: Equatable {
    var entries: [JournalRunEntry] = []
    var end = 0
    var error: JournalError?
  }

  func read(from position: Int, batchBytes: Int) -> Reading {
    var reading = Reading()
    do throws(JournalError) {
      let reader = try JournalReader(
        fileSystem: fileSystem, directory: Self.directory, from: position, batchBytes: batchBytes)
      let buffer = EntryBuffer(capacityBytes: 64)
      while try reader.read(into: buffer) {
        precondition(buffer.entryCount > 0 && buffer.entryCount == Array(buffer).count, "entries miscounted")
        reading.entries += buffer.map(JournalRunEntry.init)
      }
      reading.end = reader.position
    } catch { reading.error = error }
    PlantedBug.spoil(&reading.entries)
    return reading
  }

  /// Verifying finds a problem where reading does, and the same entries where it does not.
  func verify(against reading: Reading) {
    do throws(StorageError) {
      let report = try verifyJournal(fileSystem: fileSystem, directory: Self.directory)
      precondition(report.problems.isEmpty == (reading.error == nil), "verifying and reading differ")
      guard reading.error == nil else { return }
      precondition(report.entries == reading.entries.count, "verifying counts other entries")
      precondition(report.endPosition == reading.end, "verifying ends elsewhere")
    } catch { preconditionFailure("a folder in memory: \(error)") }
  }

  /// Opens the journal for writing; returns its end, or nil after an error.
  func open() -> Int? {
    guard let writer = try? writer() else { return nil }
    precondition(writer.endPosition == writer.durablePosition)
    precondition(writer.endPosition == writer.openReport.endPosition)
    return writer.endPosition
  }

  func appendAndReopen(at end: Int) {
    do {
      let writer = try writer()
      precondition(
        writer.openReport == JournalOpenReport(endPosition: end), "opening twice gives two results")
      let buffer = EntryBuffer(capacityBytes: 64)
      for entry in Self.added {
        buffer.reset()
        entry.append(to: buffer)
        try writer.append(buffer)
        try writer.sync()
      }
      let reopened = try self.writer()
      precondition(
        reopened.openReport == JournalOpenReport(endPosition: writer.endPosition), "what was written is torn")
    } catch { preconditionFailure("a journal that was opened: \(error)") }
  }

  private func writer() throws(JournalError) -> JournalWriter {
    try JournalWriter(
      fileSystem: fileSystem, directory: Self.directory, options: JournalOptions(segmentBytes: 128))
  }
}

/// An entry by value, as far as it is compared.
struct JournalRunEntry: Equatable {
  var kind: JournalEntryKind
  var packetID: UInt16
  var topic: [UInt8] = []
  var payload: [UInt8]

  func append(to buffer: EntryBuffer) {
    topic.withUnsafeBytes { topic in
      payload.withUnsafeBytes { payload in
        buffer.append(kind: kind, arrivalMs: 1, packetID: packetID, topic: topic, payload: payload)
      }
    }
  }
}

extension JournalRunEntry {
  init(_ view: EntryView) {
    self.init(
      kind: view.kind, packetID: view.packetID, topic: Array(view.topic), payload: Array(view.payload))
  }
}
