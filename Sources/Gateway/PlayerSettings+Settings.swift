// From settings, and from their text in the journal, to what the player of journal entries takes.

import Pipeline
import Playback
import Records
import Settings

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
  /// Reads the text of a settings entry. What is not in it, such as how tables are cut into segments, is as in `settings`.
  init(journalText: UnsafeRawBufferPointer, over settings: Settings) throws(UnreadableSettings) {
    guard let text = String(validating: journalText, as: UTF8.self) else {
      throw UnreadableSettings("they are not UTF-8")
    }
    do {
      let settings = try settings.with(journalText: text)
      self.init(engine: EngineSettings(settings), router: try TopicRouter(settings.topics))
    } catch { throw UnreadableSettings("\(error)") }
  }
}
