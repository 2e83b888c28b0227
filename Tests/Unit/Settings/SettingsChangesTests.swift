import Testing

@testable import Settings

@Suite struct SettingsChangesTests {
  @Test func `Of a change of every key some hold at once, and the others wait for a restart`() {
    let changes = SettingsChanges(from: Settings(), to: EveryKey.settings)
    #expect(
      changes.appliedKeys == [
        "customers.path", "consent.as_of", "join.pairing", "join.tolerance", "join.allowed_lateness",
        "join.retention", "join.idle", "join.max_memory", "limits.max_message_bytes", "limits.future_skew",
        "landing.enabled", "storage.min_free_bytes", "checkpoint.interval", "checkpoint.journal_bytes",
        "log.level",
      ])
    #expect(changes.appliedKeys.count + changes.restartKeys.count == EveryKey.values.count)

    var expected = EveryKey.settings
    expected.mqtt = Settings().mqtt
    expected.topics = Settings().topics
    expected.http = Settings().http
    expected.storage = Settings().storage
    expected.storage.minFreeBytes = EveryKey.settings.storage.minFreeBytes
    #expect(changes.settings == expected)
  }

  @Test func `What waits for a restart is told each time, and what holds is not applied again`() {
    let first = SettingsChanges(from: Settings(), to: EveryKey.settings)
    let second = SettingsChanges(from: first.settings, to: EveryKey.settings)
    #expect(second.appliedKeys.isEmpty)
    #expect(second.restartKeys == first.restartKeys)
    #expect(SettingsChanges(from: Settings(), to: Settings()).restartKeys.isEmpty)
  }
}
