// The exit codes, which scripts rely on. Wrong usage, 64, is ArgumentParser's own.

import ArgumentParser
import Gateway
import Settings

enum ExitStatus {
  /// It ran, and what it looked at is not as it should be.
  static let foundSomethingWrong = ExitCode(1)
  /// Input or output failed (EX_IOERR of sysexits.h).
  static let inputOutputFailed = ExitCode(74)
  /// The settings are wrong (EX_CONFIG of sysexits.h).
  static let wrongConfiguration = ExitCode(78)
}

/// Settings for a command, or the command's end with every problem on stderr.
func loadSettings(
  file: String?, checksFiles: Bool = true, credentialsMayBeElsewhere: Bool = false
) throws(ExitCode) -> Settings {
  do throws(SettingsError) {
    return try Settings.load(
      file: file, checksFiles: checksFiles, credentialsMayBeElsewhere: credentialsMayBeElsewhere)
  } catch {
    printMessage(error.description)
    throw ExitStatus.wrongConfiguration
  }
}

/// What reads or writes files, or the command's end with the reason on stderr.
func inputOutput<Result, Failure: CustomStringConvertible>(
  _ operation: () throws(Failure) -> Result
) throws(ExitCode) -> Result {
  do throws(Failure) {
    return try operation()
  } catch {
    printMessage(error.description)
    throw ExitStatus.inputOutputFailed
  }
}
