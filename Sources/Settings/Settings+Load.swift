// Settings from a file and the environment: environment over file over default, by swift-configuration.
//
// Invariants: every problem is found and told, not only the first; nothing is returned that has one.

import Configuration
import FoundationEssentials

extension Settings {
  /// Reads, converts and checks all settings.
  ///
  /// - Parameters:
  ///   - path: a YAML file such as config/stepgate.yaml; nil for the defaults. An empty file is the
  ///     defaults as well.
  ///   - environment: `STEPGATE_MQTT_HOST` overrides `mqtt.host`, and so on. A variable that begins with
  ///     `STEPGATE_` and is no setting is an error, but for `STEPGATE_TEST_…`. `CREDENTIALS_DIRECTORY` is where
  ///     credential files without a folder are.
  ///   - checksFiles: whether the files that settings name must be there and readable: for the daemon
  ///     yes; a replay of somebody else's settings needs none of them.
  ///   - credentialsMayBeElsewhere: whether credentials that only the running service can see are passed over.
  /// - Throws: all problems.
  public static func load(
    file path: String?,
    environment: [String: String] = ProcessInfo.processInfo.environment,
    checksFiles: Bool = true, credentialsMayBeElsewhere: Bool = false
  ) throws(SettingsError) -> Settings {
    var loader = SettingsLoader(file: path.map(SettingsFile.init(path:)), environment: environment)
    loader.refuseUnknownVariables()
    loader.assignAll()
    loader.findCredentials()
    loader.checkCombinations()
    if checksFiles { loader.checkFiles(exceptCredentialsElsewhere: credentialsMayBeElsewhere) }
    guard loader.problems.isEmpty else { throw SettingsError(problems: loader.problemsInOrder) }
    return loader.settings
  }
}

/// The state of one `Settings.load`.
struct SettingsLoader {
  private let file: SettingsFile?
  let environment: [String: String]
  private(set) var settings = Settings()
  private(set) var problems: [SettingsProblem]
  /// The keys whose values could not be used; what else they would break is not worth telling.
  private var refusedKeys: Set<String>

  init(file: SettingsFile?, environment: [String: String]) {
    self.file = file
    self.environment = environment
    problems = file?.problems ?? []
    refusedKeys = Set(problems.compactMap(\.key))
    settings.storage.directory = Settings.Storage.defaultDirectory(environment: environment)
  }

  mutating func refuseUnknownVariables() {
    let known = Set(Setting.all.map(\.environmentVariable))
    let ours = environment.keys.filter {
      $0.hasPrefix(Setting.environmentPrefix) && !$0.hasPrefix(Setting.environmentPrefix + "TEST_")
    }
    for variable in ours.sorted() where !known.contains(variable) {
      let name = String(variable.dropFirst(Setting.environmentPrefix.count))
      let nearest = nearestSetting(to: name, in: Setting.all.map(\.key)).flatMap { Setting.byKey[$0] }
      let hint = nearest.map { "; did you mean \($0.environmentVariable)?" } ?? ""
      problems.append(
        SettingsProblem(.environment(variable: variable), key: nil, "unknown setting" + hint))
    }
  }

  mutating func assignAll() {
    let reader = layeredReader()
    for setting in Setting.all {
      guard let text = reader.string(forKey: ConfigKey(setting.key)) else { continue }
      if text.isEmpty {
        if !setting.mayBeEmpty { refuse(setting.key, given: nil, "has no value", allowed: setting.allowed) }
        continue
      }
      do throws(Refusal) {
        try setting.assign(text, &settings)
      } catch {
        let given = error.hidesText ? "***" : text
        refuse(setting.key, given: given, error.reason, allowed: setting.allowed)
      }
    }
  }

  /// A credential file that is named without a folder is one that systemd passes on (systemd.exec(5),
  /// `LoadCredential=`).
  mutating func findCredentials() {
    guard let folder = Settings.credentialsFolder(environment) else { return }
    for (_, file) in Settings.credentials {
      guard let name = settings[keyPath: file.place], !name.contains("/") else { continue }
      settings[keyPath: file.place] = "\(folder)/\(name)"
    }
  }

  private func layeredReader() -> ConfigReader {
    let variables = EnvironmentVariablesProvider(environmentVariables: environment)
    let entries = file?.entries ?? [:]
    let values = entries.map { key, entry in
      (AbsoluteConfigKey(ConfigKey(key)), ConfigValue(.string(entry.text), isSecret: false))
    }
    return ConfigReader(providers: [
      variables.prefixKeys(with: "stepgate"),
      InMemoryProvider(name: file?.path, values: Dictionary(uniqueKeysWithValues: values)),
    ])
  }

  /// Adds a problem with the value of `key`.
  mutating func refuse(_ key: String, given: String?, _ problem: String, allowed: String? = nil) {
    refusedKeys.insert(key)
    problems.append(SettingsProblem(source(of: key), key: key, given: given, problem, allowed: allowed))
  }

  /// Whether the values of all these keys can be used, so that comparing them makes sense.
  func areUsable(_ keys: String...) -> Bool { refusedKeys.isDisjoint(with: keys) }

  /// Where the value of a key comes from; the order of the layers of `layeredReader`.
  func source(of key: String) -> SettingsProblem.Source {
    if let variable = Setting.byKey[key]?.environmentVariable, environment[variable] != nil {
      return .environment(variable: variable)
    }
    if let file, let entry = file.entries[key] { return .file(path: file.path, line: entry.line) }
    return .defaults
  }

  /// By the file's lines, then the environment's variables.
  var problemsInOrder: [SettingsProblem] {
    func rank(_ source: SettingsProblem.Source) -> (Int, Int, String) {
      switch source {
      case .file(_, let line): (0, line ?? 0, "")
      case .environment(let variable): (1, 0, variable)
      case .defaults: (2, 0, "")
      }
    }
    return problems.sorted { rank($0.source) < rank($1.source) }
  }
}
