// Credential files: those that systemd passes on to the service (systemd.exec(5), `LoadCredential=`) have a name and no
// folder in the settings.

public import FoundationEssentials
import Glibc

extension Settings {
  static let credentials = Setting.files.filter(\.file.isCredential)

  static func credentialsFolder(_ environment: [String: String]) -> String? {
    environment["CREDENTIALS_DIRECTORY"].flatMap { $0.isEmpty ? nil : $0 }
  }

  /// The credential files that cannot be looked at from here, by key: whoever checks a configuration by hand is not the
  /// service, and systemd 252 hides the folder from `ExecReload=` too.
  public func credentialsElsewhere(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> [String: String] {
    let folder = Self.credentialsFolder(environment)
    let isHidden = folder.map { access($0, X_OK) != 0 } ?? false
    var elsewhere: [String: String] = [:]
    for (key, file) in Self.credentials {
      guard let path = self[keyPath: file.place] else { continue }
      if !path.contains("/") { elsewhere[key] = path }
      if let folder, isHidden, path.hasPrefix(folder + "/") { elsewhere[key] = path }
    }
    return elsewhere
  }
}
