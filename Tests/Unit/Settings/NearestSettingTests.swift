import Testing

@testable import Settings

@Suite struct NearestSettingTests {
  private let keys = Setting.sections + Setting.all.map(\.key)

  @Test(arguments: [
    ("mqtt.hots", "mqtt.host"),
    ("mqtt.Host", "mqtt.host"),
    ("port", "mqtt.port"),
    ("mqtt.clientid", "mqtt.client_id"),
    ("mqtt_port", "mqtt.port"),
    ("mqtt.passw", "mqtt.password_file"),
    ("ca_file", "mqtt.tls.ca_file"),
    ("join.tolerence", "join.tolerance"),
    ("topic.customer", "topics.customer"),
    ("stroage", "storage"),
    ("checkpoint.journal", "checkpoint.journal_bytes"),
  ])
  func `A slip leads to the setting that was meant`(unknown: String, meant: String) {
    #expect(nearestSetting(to: unknown, in: keys) == meant)
  }

  @Test(arguments: ["", "x", "kafka", "flux_capacitor"])
  func `A name that resembles nothing gets no hint`(unknown: String) {
    #expect(nearestSetting(to: unknown, in: keys) == nil)
  }

  @Test func `A name of any length is answered at once`() {
    #expect(nearestSetting(to: String(repeating: "mqtt.host", count: 100_000), in: keys) == nil)
  }

  @Test(arguments: [
    ("", "", 0), ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("port", "prot", 2),
    ("flaw", "lawn", 2),
  ])
  func `The distance is the number of edits`(a: String, b: String, distance: Int) {
    #expect(editDistance(a, b) == distance)
    #expect(editDistance(b, a) == distance)
  }
}
