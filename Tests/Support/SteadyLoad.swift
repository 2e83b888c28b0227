// Readings of devices that go on and on, to count what each of them allocates: on the way from files and on the
// way from messages. Used by a test, and by the benchmark in a release build.
//
// Invariant: all texts are made before the counting begins, so that what is counted is the gateway's own.

import CMallocCount
import Foundation
import Journal
import Pipeline
import Playback
import Records
import Storage

/// A load in steady state: known customers, each with a reading of either kind every ten seconds.
public struct SteadyLoad {
  /// Whether allocations can be counted in this process.
  public static var canCount: Bool { malloc_count_is_possible() }

  private let devices = 100
  private let folder: String
  private let readingsAMessage: Int
  private let stepMs: Int64 = 10_000
  // More than the default retention, so that as many readings leave the join as come.
  private let warmUpRounds = 120
  private let rounds = 120
  private let startMs: Int64 = 1_700_000_000_000

  /// - Parameters:
  ///   - folder: an empty folder for journal and tables; the caller removes it.
  ///   - readingsAMessage: how many devices' readings a message holds.
  public init(folder: String, readingsAMessage: Int = 1) {
    precondition(devices.isMultiple(of: readingsAMessage))
    self.folder = folder
    self.readingsAMessage = readingsAMessage
  }

  // MARK: The two ways

  /// Heap allocations a record between a block of a file and the tables. A replay forgets no reading.
  public func allocationsARecordFromFiles() throws -> Double {
    var settings = EngineSettings()
    settings.join.evicts = false
    settings.futureSkewMs = nil
    settings.segmentAgeMs = nil
    let engine = try Engine(
      settings: settings, fileSystem: LocalFileSystem(), dataDirectory: "\(folder)/files")
    let parser = RecordParser()
    let batch = RecordBatch()
    let topic = PaddedText(Array("file.json".utf8))
    func handle(_ text: PaddedText, _ kind: RecordKind) throws {
      parser.parse(lines: text.bytes, kind: kind, arrivalMs: startMs, topic: topic.bytes, into: batch)
      try engine.process(batch)
      batch.clear()
    }
    try handle(PaddedText(lines(customers)), .customer)
    let texts = (0..<warmUpRounds + rounds).map { round in
      (PaddedText(lines(accelerometer(round))), PaddedText(lines(stepTrainer(round))))
    }
    let count = try countAllocations { round in
      try handle(texts[round].0, .accelerometer)
      try handle(texts[round].1, .stepTrainer)
    }
    try engine.tables.close()
    precondition(
      engine.tables.rowCounts[.machineLearningCurated] == devices * texts.count, "every reading has a partner"
    )
    return count
  }

  /// Heap allocations a record between a batch of messages and the tables, the journal's included.
  public func allocationsARecordFromMessages() throws -> Double {
    var settings = EngineSettings()
    settings.live = true
    let engine = try Engine(
      settings: settings, fileSystem: LocalFileSystem(), dataDirectory: "\(folder)/messages")
    let router = TopicRouter(
      customer: try TopicFilter("stedi/customer/#", kind: .customer),
      accelerometer: try TopicFilter("stedi/accelerometer/#", kind: .accelerometer),
      stepTrainer: try TopicFilter("stedi/step_trainer/#", kind: .stepTrainer))
    let player = EntryPlayer(engine: engine, router: router, readSettings: noSettings)
    let journal = try JournalWriter(fileSystem: LocalFileSystem(), directory: "\(folder)/journal")
    let entries = EntryBuffer()
    func handle(_ messages: [(topic: [UInt8], payload: [UInt8])], arrivalMs: Int64) throws {
      for message in messages {
        message.topic.withUnsafeBytes { topic in
          message.payload.withUnsafeBytes { payload in
            entries.append(kind: .message, arrivalMs: arrivalMs, packetID: 1, topic: topic, payload: payload)
          }
        }
      }
      try journal.append(entries)
      try journal.sync()
      try player.play(entries)
      entries.reset()
    }
    try handle(customers.map { (Array("stedi/customer/import".utf8), Array($0.utf8)) }, arrivalMs: startMs)
    let batches = (0..<warmUpRounds + rounds).map { messages($0) }
    let count = try countAllocations { round in
      try handle(batches[round], arrivalMs: timeMs(round))
    }
    try engine.tables.close()
    precondition(
      engine.tables.rowCounts[.machineLearningCurated] == devices * batches.count,
      "every reading has a partner")
    return count
  }

  private func countAllocations(_ round: (Int) throws -> Void) throws -> Double {
    for number in 0..<warmUpRounds { try round(number) }
    malloc_count_begin()
    for number in warmUpRounds..<warmUpRounds + rounds { try round(number) }
    return Double(malloc_count_end()) / Double(2 * devices * rounds)
  }

  // MARK: Records

  private func timeMs(_ round: Int) -> Int64 { startMs + Int64(round) * stepMs }

  private var customers: [String] {
    (0..<devices).map {
      #"{"email":"c\#($0)@x","serialNumber":"S\#($0)","lastUpdateDate":1,"shareWithResearchAsOfDate":1}"#
    }
  }

  private func accelerometer(_ round: Int) -> [String] {
    (0..<devices).map { #"{"user":"c\#($0)@x","timestamp":\#(timeMs(round)),"x":1.5,"y":-1.0,"z":0.25}"# }
  }

  private func stepTrainer(_ round: Int) -> [String] {
    (0..<devices).map {
      #"{"sensorReadingTime":\#(timeMs(round)),"serialNumber":"S\#($0)","distanceFromObject":\#(round)}"#
    }
  }

  private func messages(_ round: Int) -> [(topic: [UInt8], payload: [UInt8])] {
    messages("stedi/accelerometer/hub", accelerometer(round))
      + messages("stedi/step_trainer/hub", stepTrainer(round))
  }

  private func messages(_ topic: String, _ records: [String]) -> [(topic: [UInt8], payload: [UInt8])] {
    stride(from: 0, to: records.count, by: readingsAMessage).map { first in
      (Array(topic.utf8), lines(Array(records[first..<first + readingsAMessage])))
    }
  }

  private func lines(_ records: [String]) -> [UInt8] { Array((records.joined(separator: "\n") + "\n").utf8) }
}
