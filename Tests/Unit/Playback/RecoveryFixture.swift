import Journal
import Pipeline
import Records
import SegmentLog
import Storage
import TestSupport

@testable import Playback

/// A data folder in memory, and gateways without a broker that work in it one after the other.
struct RecoveryFixture {
  let disk = MemoryFileSystem()
  let router: TopicRouter
  var journalSegmentBytes = 400
  /// A text of settings that the next start cannot read.
  var unreadableSettings: String?
  /// What the next start tells.
  private final class Told { var events: [RecoveryEvent] = [] }
  private let told = Told()

  init() throws {
    router = TopicRouter(
      customer: try TopicFilter("c/#", kind: .customer),
      accelerometer: try TopicFilter("a/#", kind: .accelerometer),
      stepTrainer: try TopicFilter("s/#", kind: .stepTrainer))
  }

  var events: [RecoveryEvent] { told.events }
  var store: CheckpointStore { CheckpointStore(fileSystem: disk, dataDirectory: "data") }

  /// Settings are journaled as the tolerance, in decimal.
  func settings(toleranceMs: Int64) -> PlayerSettings {
    var engine = EngineSettings()
    engine.live = true
    engine.segmentBytes = 300
    engine.join.toleranceMs = toleranceMs
    return PlayerSettings(engine: engine, router: router)
  }

  func start(isStopping: @escaping () -> Bool = { false }) throws -> Recovered? {
    told.events = []
    return try Recovery(
      fileSystem: disk, dataDirectory: "data", initial: settings(toleranceMs: 100),
      journalOptions: JournalOptions(segmentBytes: journalSegmentBytes),
      readSettings: { (text) throws(UnreadableSettings) in
        let text = String(decoding: text, as: UTF8.self)
        guard text != unreadableSettings, let toleranceMs = Int64(text) else {
          throw UnreadableSettings("\(text) is unknown")
        }
        return settings(toleranceMs: toleranceMs)
      },
      isStopping: isStopping, tell: { told.events.append($0) }
    ).run()
  }

  /// Journals and plays entries, as the gateway does with what it reads.
  func take(_ recovered: Recovered, _ entries: [Entry]) throws {
    let buffer = EntryBuffer(entries)
    try recovered.journal.append(buffer)
    try recovered.journal.sync()
    try recovered.player.play(buffer)
    recovered.redeliveries.remember(buffer)
  }

  func checkpoint(_ recovered: Recovered) throws {
    try store.write(recovered.player.checkpoint(remembering: recovered.redeliveries))
  }

  /// Messages of three customers: the first registers them, the others are readings that meet.
  static func messages(_ range: Range<Int>) -> [Entry] {
    range.map { number in
      let who = number % 3
      let time = 1000 + number * 10
      let entry: (topic: String, payload: String) =
        switch number {
        case 0..<3:
          (
            "c/1",
            #"{"email":"c\#(who)","serialNumber":"s\#(who)","lastUpdateDate":1,"shareWithResearchAsOfDate":1}"#
          )
        case _ where number % 2 == 0:
          ("a/1", #"{"user":"c\#(who)","timestamp":\#(time),"x":1,"y":2,"z":\#(number)}"#)
        default:
          (
            "s/1",
            #"{"sensorReadingTime":\#(time),"serialNumber":"s\#(who)","distanceFromObject":\#(number)}"#
          )
        }
      return Entry(
        arrivalMs: Int64(time), packetID: UInt16(number + 1), topic: entry.topic, payload: entry.payload)
    }
  }

  /// All files of the tables by path, as they are.
  func tableFiles() throws -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for table in settings(toleranceMs: 0).engine.tables {
      let directory = table.directory(in: "data")
      for name in try disk.list(directory) where name.hasSuffix(".ndjson") && name != "current.ndjson" {
        files["\(directory)/\(name)"] = try disk.readFile("\(directory)/\(name)")
      }
    }
    return files
  }

  /// What the tables hold when nothing ever went wrong.
  static func undisturbed(_ count: Int) throws -> [String: [UInt8]] {
    let fixture = try RecoveryFixture()
    if let recovered = try fixture.start() {
      for number in 0..<count { try fixture.take(recovered, messages(number..<number + 1)) }
      try recovered.player.engine.tables.close()
    }
    return try fixture.tableFiles()
  }
}
