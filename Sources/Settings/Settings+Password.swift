// The one secret. It is in no setting, and read only where it is used.

extension Settings.MQTT {
  /// The password: the text of `passwordFile` up to its first line end.
  ///
  /// - Returns: nil where no file is set.
  /// - Throws: where the file cannot be read or begins with an empty line.
  public func readPassword() throws(SettingsError) -> String? {
    guard let passwordFile else { return nil }
    do throws(TextFileError) {
      let text = try readTextFile(passwordFile)
      let password = text.prefix { !$0.isNewline }
      guard !password.isEmpty else { throw TextFileError(reason: "its first line is empty") }
      return String(password)
    } catch {
      let source = SettingsProblem.Source.file(path: passwordFile, line: nil)
      let problem = SettingsProblem(
        source, key: "mqtt.password_file", "cannot be read: \(error.reason)",
        allowed: "a file whose first line is the password")
      throw SettingsError(problems: [problem])
    }
  }
}
