// The JSON of the settings that decide the output: it is in journals, so it must not change by itself.

import Testing

@testable import Settings

@Suite struct ResultSettingsTests {
  @Test func `The JSON text is what journals hold`() {
    let golden =
      #"{"consent":{"as_of":"enforce"},"#
      + #""join":{"allowed_lateness_ms":600000,"idle_ms":900000,"max_memory_bytes":536870912,"#
      + #""pairing":"owner","retention_ms":900000,"tolerance_ms":100},"#
      + #""landing":{"enabled":false},"#
      + #""limits":{"future_skew_ms":300000,"max_message_bytes":1048576},"#
      + #""topics":{"accelerometer":"stedi/accelerometer/#","customer":"stedi/customer/#","#
      + ##""step_trainer":"stedi/step_trainer/#"}}"##

    #expect(Settings().resultSettingsJSON == golden)
  }

  @Test func `Settings come back from their JSON text`() throws {
    var settings = EveryKey.settings
    settings.topics.customer = "quote\" backslash\\ ü/{email}"
    let json = settings.resultSettingsJSON

    #expect(!json.contains("\n"))
    #expect(try ResultSettings(json: json) == settings.resultSettings)
    #expect(try ResultSettings(json: json).json == json)
  }

  @Test(arguments: ["", "{}", "[]", #"{"consent":{"as_of":"maybe"}}"#])
  func `Any other text is refused`(json: String) {
    #expect(throws: DecodingError.self) { try ResultSettings(json: json) }
  }

  @Test func `Settings that change no row are not in it`() {
    var settings = EveryKey.settings
    let before = settings.resultSettings
    settings.mqtt = Settings.MQTT()
    settings.customers = Settings.Customers()
    settings.storage = Settings.Storage()
    settings.checkpoint = Settings.Checkpoint()
    settings.http = Settings.HTTP()
    settings.log = Settings.Log()

    #expect(settings.resultSettings == before)
  }
}
