// What becomes of settings that are read while the gateway runs: some hold at once, the others wait for a restart.

/// The difference between the settings in force and those that the operator wrote.
public struct SettingsChanges: Sendable {
  /// The settings that hold from now on: those written, but for what takes a restart.
  public let settings: Settings
  /// Keys whose new value holds from now on.
  public let appliedKeys: [String]
  /// Keys whose old value stays until a restart.
  public let restartKeys: [String]

  public init(from inForce: Settings, to written: Settings) {
    var settings = inForce
    let changed = Setting.all.filter { $0.differs(inForce, written) }
    for setting in changed where setting.applies == .atOnce { setting.copy(written, &settings) }
    self.settings = settings
    appliedKeys = changed.filter { $0.applies == .atOnce }.map(\.key)
    restartKeys = changed.filter { $0.applies == .afterRestart }.map(\.key)
  }
}
