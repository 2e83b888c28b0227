// From settings, and from their text in the journal, to what the player of journal entries takes.

import Playback
import Settings
import Pipeline
import Records

extension TopicRouter {
  /// The router for the three topic filters.
  convenience init(_ topics: Settings.Topics) throws(TopicFilterError) {
    self.init(
      customer: try TopicFilter(topics.customer, kind: .customer),
      accelerometer: try TopicFilter(topics.accelerometer, kind: .accelerometer),
      stepTrainer: try TopicFilter(topics.stepTrainer, kind: .stepTrainer))
  }
}

extension PlayerSettings {
  /// Reads the text of a settings entry; nil where it is none.
  init?(json: UnsafeRawBufferPointer, storage: Settings.Storage) {
    guard let results = try? ResultSettings(json: String(decoding: json, as: UTF8.self)),
      let router = try? TopicRouter(results.topics)
    else { return nil }
    self.init(engine: EngineSettings(results, storage: storage), router: router)
  }
}
