import ArgumentParser

struct Run: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs the gateway until it is told to stop.",
    discussion: """
      Connects to the MQTT broker, takes readings in, and appends rows to the tables. A message is \
      acknowledged only when it is on stable storage, so the gateway may be killed at any time and goes on \
      where it was. SIGTERM and SIGINT stop it cleanly.

      Example:
        stepgate run --config /etc/stepgate/stepgate.yaml
      """)

  @Option(
    help: ArgumentHelp(
      "The configuration file, YAML (default: the built-in defaults).",
      discussion: "Environment variables override it: STEPGATE_MQTT_HOST stands for mqtt.host.",
      valueName: "file"),
    completion: .file(extensions: ["yaml", "yml"]))
  var config: String?
}
