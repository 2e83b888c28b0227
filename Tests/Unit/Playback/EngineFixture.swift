import Pipeline
import Playback
import Records
import Storage
import Testing

/// An engine with tables in a folder of their own, and the player in front of it.
struct EngineFixture {
  let folder: ScratchFolder
  let engine: Engine
  let player: EntryPlayer

  init(fileSystem: any FileSystem = LocalFileSystem()) throws {
    folder = try ScratchFolder()
    var settings = EngineSettings()
    settings.live = true
    engine = try Engine(
      settings: settings, fileSystem: fileSystem, dataDirectory: folder("data"), hashSeed: 1)
    let router = TopicRouter(
      customer: try TopicFilter("stedi/customer/#", kind: .customer),
      accelerometer: try TopicFilter("stedi/accelerometer/{user}", kind: .accelerometer),
      stepTrainer: try TopicFilter("stedi/step_trainer/#", kind: .stepTrainer))
    player = EntryPlayer(engine: engine, router: router) { (text) throws(UnreadableSettings) in
      let text = String(decoding: text, as: UTF8.self)
      guard text == "tolerance 500" else { throw UnreadableSettings(text) }
      var changed = settings
      changed.join.toleranceMs = 500
      return PlayerSettings(engine: changed, router: router)
    }
  }

  /// The rows of a table, as far as they were flushed.
  func rows(_ table: Table) throws -> [String] {
    let directory = table.directory(in: folder("data"))
    let fileSystem = LocalFileSystem()
    return try fileSystem.list(directory).filter { $0.hasSuffix(".ndjson") && $0 != "current.ndjson" }
      .flatMap { try fileSystem.text("\(directory)/\($0)").split(separator: "\n").map(String.init) }
  }
}

/// Records as they come.
enum Texts {
  static let customer =
    #"{"email":"ada@x","serialNumber":"S1","lastUpdateDate":1,"shareWithResearchAsOfDate":1}"#
  static let accelerometer = #"{"user":"ada@x","timestamp":1000,"x":1,"y":2,"z":3}"#
  static let stepTrainer = #"{"sensorReadingTime":1050,"serialNumber":"S1","distanceFromObject":7}"#
}
