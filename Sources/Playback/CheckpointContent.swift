// What is in a checkpoint, decoded and checked.

import Pipeline
import Records

struct CheckpointContent {
  private let readSettings: SettingsReader
  private(set) var settingsText: [UInt8] = []
  /// Those in force.
  private(set) var settings: PlayerSettings
  var engine: EngineState
  var redeliveries = RedeliveryFilter()

  /// - Parameters:
  ///   - file: the content, all around it as it should be.
  ///   - path: for the error.
  ///   - initial: holds where no settings were journaled yet.
  init(
    _ file: CheckpointFormat.Content, path: String, initial: PlayerSettings,
    readSettings: @escaping SettingsReader
  ) throws(CheckpointError) {
    self.readSettings = readSettings
    settings = initial
    engine = EngineState(initial.engine)
    do {
      if file.version == 1 { try decodeVersion1(file.bytes) } else { try decodeSections(file.bytes, path) }
    } catch let error as CheckpointError {
      throw error
    } catch let error as UnreadableSettings {
      throw .unreadableSettings(path: path, error)
    } catch let error as StateError {
      throw .damaged(path: path, byte: CheckpointFormat.headerBytes + error.byte, what: error.what)
    } catch { preconditionFailure("an error of a kind that is not thrown here: \(error)") }
  }

  private mutating func decodeVersion1(_ bytes: UnsafeRawBufferPointer) throws {
    var decoder = StateDecoder(bytes)
    for section in CheckpointSection.all.prefix(CheckpointSection.countInVersion1) {
      try section.decode(&self, &decoder)
    }
    try decoder.readEnd()
  }

  private mutating func decodeSections(_ bytes: UnsafeRawBufferPointer, _ path: String) throws {
    var decoder = StateDecoder(bytes)
    var found: [UInt32: StateDecoder] = [:]
    while decoder.position < bytes.count {
      let (tag, content) = try decoder.readSection()
      guard CheckpointSection.all.contains(where: { $0.tag == tag }) else {
        throw CheckpointError.unknownSection(path: path, tag: tag)
      }
      guard found.updateValue(content, forKey: tag) == nil else { throw decoder.error("a section twice") }
    }
    for section in CheckpointSection.all {
      guard var content = found[section.tag] else {
        if section.isAlwaysThere { throw decoder.error("a section is missing") }
        continue
      }
      try section.decode(&self, &content)
      try content.readEnd()
    }
  }

  /// Takes the text of the settings in force, empty if none were journaled. The engine's state begins with them.
  mutating func takeSettings(_ text: UnsafeRawBufferPointer) throws(UnreadableSettings) {
    guard !text.isEmpty else { return }
    settingsText = Array(text)
    settings = try readSettings(text)
    engine = EngineState(settings.engine)
  }
}
