// The JSON of the settings that decide the output: it is in journals, so it must not change by itself.

import Foundation
import Testing

@testable import Settings

@Suite struct JournaledSettingsTests {
  @Test func `The JSON text is what journals hold`() {
    let golden =
      #"{"consent":{"as_of":"enforce"},"#
      + #""join":{"allowed_lateness_ms":600000,"idle_ms":900000,"max_memory_bytes":536870912,"#
      + #""pairing":"owner","retention_ms":900000,"tolerance_ms":100},"#
      + #""landing":{"enabled":false},"#
      + #""limits":{"future_skew_ms":300000,"max_message_bytes":1048576},"#
      + #""topics":{"accelerometer":"stedi/accelerometer/#","customer":"stedi/customer/#","#
      + ##""step_trainer":"stedi/step_trainer/#"}}"##

    #expect(Settings().journalText == golden)
  }

  @Test func `Settings come back from their JSON text`() throws {
    var settings = EveryKey.settings
    settings.topics.customer = "quote\" backslash\\ ü/{email}"
    let text = settings.journalText

    #expect(!text.contains("\n"))
    let read = try Settings().with(journalText: text)
    #expect(read.journalText == text)
    let journaled = Setting.all.filter { $0.journaled != nil }
    #expect(journaled.allSatisfy { !$0.differs(read, settings) && $0.differs(read, Settings()) })
  }

  @Test func `What a text does not say stays as it is`() throws {
    let read = try EveryKey.settings.with(journalText: Settings().journalText)
    for setting in Setting.all where setting.journaled == nil {
      #expect(!setting.differs(read, EveryKey.settings), "\(setting.key)")
    }
    #expect(read.journalText == Settings().journalText)
  }

  @Test(arguments: [
    ("", "they are no sections of settings"), ("[]", "they are no sections of settings"),
    (#"{"consent":5}"#, "they are no sections of settings"),
    ("{}", "topics.customer is missing"),
  ])
  func `Any other text is refused, with what is wrong`(text: String, what: String) {
    #expect(throws: JournalTextError(description: what)) { try Settings().with(journalText: text) }
  }

  @Test(arguments: [
    (#""as_of":"enforce""#, #""as_of":"maybe""#, "consent.as_of has an unknown value"),
    (#""as_of":"enforce""#, #""as_of":true"#, "consent.as_of has an unknown value"),
    (#""as_of":"enforce""#, #""as_of":[]"#, "consent.as_of has an unknown value"),
    (#""as_of":"enforce""#, #""as_of":1.5"#, "consent.as_of has an unknown value"),
    (#""as_of":"enforce""#, #""as_of":null"#, "consent.as_of has an unknown value"),
    (#""enabled":false"#, #""enabled":0"#, "landing.enabled has an unknown value"),
    (#""idle_ms":900000"#, #""idle_ms":"900000""#, "join.idle_ms has an unknown value"),
    (#""idle_ms":900000,"#, "", "join.idle_ms is missing"),
    (
      #""idle_ms":900000"#, #""idle_ms":900000,"match":"all""#,
      "join.match is unknown, so a later version wrote them"
    ),
    ("{\"consent\"", #"{"erasure":{},"consent""#, "erasure is unknown, so a later version wrote them"),
    (
      #""idle_ms":900000"#, #""idle_ms":900000,"weights":[1.5]"#,
      "join.weights is unknown, so a later version wrote them"
    ),
    ("{\"consent\"", #"{"a":{"b":1},"consent""#, "a.b is unknown, so a later version wrote them"),
    (#""tolerance_ms":100"#, #""tolerance_ms":-1"#, "join.tolerance_ms has an unknown value"),
    (#""idle_ms":900000"#, #""idle_ms":999"#, "join.idle_ms has an unknown value"),
    (#""retention_ms":900000"#, #""retention_ms":315360000001"#, "join.retention_ms has an unknown value"),
    (
      #""retention_ms":900000"#, #""retention_ms":-9223372036854775808"#,
      "join.retention_ms has an unknown value"
    ),
    (
      #""max_memory_bytes":536870912"#, #""max_memory_bytes":9223372036854775807"#,
      "join.max_memory_bytes has an unknown value"
    ),
  ])
  func `A text that is nearly right is refused, with what is wrong`(part: String, by: String, what: String) {
    let text = Settings().journalText.replacingOccurrences(of: part, with: by)
    #expect(text != Settings().journalText)
    #expect(throws: JournalTextError(description: what)) { try Settings().with(journalText: text) }
  }

  @Test func `A setting that is newer than a text has the value from before there was the setting`() throws {
    let old = Settings().journalText.replacingOccurrences(of: #""idle_ms":900000,"#, with: "")
    let table = Setting.all.map { setting in
      setting.key == "join.idle"
        ? Setting(setting.key, \.join.idleMs, .duration(), .atOnce, journaled: .added(before: 7)) : setting
    }
    #expect(try EveryKey.settings.with(journalText: old, of: table).join.idleMs == 7)
    #expect(try EveryKey.settings.with(journalText: Settings().journalText, of: table).join.idleMs == 900_000)
    #expect(throws: JournalTextError.self) { try EveryKey.settings.with(journalText: old) }
  }

  @Test func `Settings that change no row are not in it`() {
    var settings = EveryKey.settings
    let before = settings.journalText
    settings.mqtt = Settings.MQTT()
    settings.customers = Settings.Customers()
    settings.storage = Settings.Storage()
    settings.checkpoint = Settings.Checkpoint()
    settings.http = Settings.HTTP()
    settings.log = Settings.Log()

    #expect(settings.journalText == before)
  }
}
