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
    _ content: UnsafeRawBufferPointer, path: String, initial: PlayerSettings,
    decodeSettings: (UnsafeRawBufferPointer) -> PlayerSettings?
  ) throws(CheckpointError) {
    var decoder = StateDecoder(content)
    do throws(StateError) {
      let text = try decoder.readText()
      settingsText = Array(text)
      settings = text.isEmpty ? nil : decodeSettings(text)
      if settings == nil && !text.isEmpty { throw decoder.error("settings that this version cannot read") }
      engine = try EngineState((settings ?? initial).engine, decoding: &decoder)
      redeliveries = try RedeliveryFilter(decoding: &decoder)
      try decoder.readEnd()
    } catch {
      throw .damaged(path: path, byte: CheckpointFormat.headerBytes + error.byte, what: error.what)
    }
  }
}
