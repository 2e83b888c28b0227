import ArgumentParser
import Gateway
import Settings

struct CheckConfig: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check-config",
    abstract: "Checks a configuration file and tells every error in it.",
    discussion: """
      Checks what "stepgate run" would check before it starts: keys, values, their combinations, the files \
      they name (but for credentials that systemd passes on), and the STEPGATE_ variables of this environment, \
      which override the file. Each error is a \
      line with its place, its key and what is allowed. Exits with 78 where there is one.

      Example:
        stepgate check-config /etc/stepgate/stepgate.yaml
      """)

  @Argument(help: "The configuration file, YAML.", completion: .file(extensions: ["yaml", "yml"]))
  var file: String

  func run() throws {
    let settings = try loadSettings(file: file, credentialsMayBeElsewhere: true)
    for (key, path) in settings.credentialsElsewhere().sorted(by: { $0.key < $1.key }) {
      printMessage("note: \(key): \(path) cannot be checked here; systemd passes it on to the service alone")
    }
    if let path = settings.customers.path, isMissing(path) {
      printMessage("note: customers.path: \(path) is not there yet; the gateway will wait for it")
    }
    try printData("\(file): no errors\n")
  }
}
