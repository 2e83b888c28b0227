// Options for a broker that wants to know who connects.

import ArgumentParser
import Gateway
import Mosquitto
import Settings

struct BrokerLogin: ParsableArguments {
  @Option(help: ArgumentHelp("The name to log in with.", valueName: "name"))
  var username: String?

  @Option(
    help: ArgumentHelp("A file whose first line is the password.", valueName: "file"), completion: .file())
  var passwordFile: String?

  @Option(
    help: ArgumentHelp("Turns TLS on: the authorities to trust, PEM.", valueName: "file"),
    completion: .file())
  var caFile: String?

  @Option(
    help: ArgumentHelp("The certificate to show, PEM, with its --key-file.", valueName: "file"),
    completion: .file())
  var certificateFile: String?

  @Option(help: ArgumentHelp("The certificate's key, PEM.", valueName: "file"), completion: .file())
  var keyFile: String?

  func validate() throws {
    if passwordFile != nil && username == nil { throw ValidationError("--password-file needs --username.") }
    if (certificateFile == nil) != (keyFile == nil) {
      throw ValidationError("--certificate-file and --key-file go together.")
    }
    if certificateFile != nil && caFile == nil {
      throw ValidationError("--certificate-file needs --ca-file.")
    }
  }

  /// Adds it to what a client connects with.
  func apply(to options: inout ConnectOptions) throws(ExitCode) {
    options.username = username
    options.password = try password()
    options.tls = caFile.map {
      TLSOptions(caFile: $0, certificateFile: certificateFile, keyFile: keyFile)
    }
  }

  private func password() throws(ExitCode) -> Secret? {
    var mqtt = Settings().mqtt
    mqtt.passwordFile = passwordFile
    do throws(SettingsError) { return try mqtt.readPassword().map { Secret($0) } } catch {
      for problem in error.problems { printMessage("--password-file \(problem.source) \(problem.problem)") }
      throw ExitStatus.inputOutputFailed
    }
  }
}
