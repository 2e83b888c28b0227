// What is in a checkpoint, decoded and checked.

import Pipeline
import Records

struct CheckpointContent {
  let settingsText: [UInt8]
  /// Nil where no settings were journaled yet.
  let settings: PlayerSettings?
  let engine: EngineState
  let redeliveries: RedeliveryFilter

  /// - Parameters:
  ///   - path: for the error.
  ///   - initial: holds where no settings were journaled yet.
  init(
    _ content: UnsafeRawBufferPointer, path: String, initial: PlayerSettings, readSettings: SettingsReader
  ) throws(CheckpointError) {
    var decoder = StateDecoder(content)
    do {
      let text = try decoder.readText()
      settingsText = Array(text)
      settings = text.isEmpty ? nil : try readSettings(text)
      engine = try EngineState((settings ?? initial).engine, decoding: &decoder)
      redeliveries = try RedeliveryFilter(decoding: &decoder)
      try decoder.readEnd()
    } catch let error as UnreadableSettings {
      throw .unreadableSettings(path: path, error)
    } catch let error as StateError {
      throw .damaged(path: path, byte: CheckpointFormat.headerBytes + error.byte, what: error.what)
    } catch { preconditionFailure("an error of no kind that is thrown here: \(error)") }
  }
}
