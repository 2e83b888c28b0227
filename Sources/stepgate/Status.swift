import ArgumentParser
import Gateway
import Glibc

struct Status: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prints what the running gateway says of itself.",
    discussion: """
      Asks the gateway over HTTP, at http.listen, and prints what its status page shows. Exits with 1 where \
      something is badly wrong, and with 74 where no gateway answers.

      Examples:
        stepgate status
        stepgate status --watch
        stepgate status --json | jq .health
      """)

  private static let periodMs = 2_000
  private static let sliceMs = 100
  /// "Home", then "erase to the end of the screen" (ECMA-48, CUP and ED).
  private static let clearScreen = "\u{1B}[H\u{1B}[J"

  @Option(help: ArgumentHelp("Where the gateway listens.", valueName: "url"))
  var url = "http://127.0.0.1:9464"

  @Flag(help: "Prints the status as one line of JSON.")
  var json = false

  @Flag(help: "Prints it every two seconds, until it is interrupted.")
  var watch = false

  func validate() throws {
    guard StatusClient(url: url) != nil else {
      throw ValidationError("--url takes a URL such as http://127.0.0.1:9464.")
    }
  }

  func run() throws {
    guard let client = StatusClient(url: url) else { throw ExitStatus.inputOutputFailed }
    if watch { return try keepPrinting(client) }
    let answer = try inputOutput { () throws(StatusClientError) in try self.answer(client) }
    try printData(answer.text)
    if answer.isBad { throw ExitStatus.foundSomethingWrong }
  }

  private func answer(_ client: StatusClient) throws(StatusClientError) -> (text: String, isBad: Bool) {
    let bytes = try client.get("/status.json")
    guard let status = GatewayStatus(json: bytes) else {
      throw StatusClientError(description: "\(client.server) does not answer as a gateway of this version")
    }
    let text = json ? String(decoding: bytes, as: UTF8.self) : StatusText(status).text
    return (text, status.health.level == .bad)
  }

  // A gateway that restarts is waited for.
  private func keepPrinting(_ client: StatusClient) throws {
    FollowPause.endOnInterruption()
    let isTerminal = isatty(STDOUT_FILENO) == 1
    while !FollowPause.isInterrupted {
      switch Result(catching: { () throws(StatusClientError) in try answer(client).text }) {
      case .success(let text):
        guard try printData(isTerminal && !json ? Self.clearScreen + text : text) else { return }
      case .failure(let error): printMessage(error.description)
      }
      for _ in 0..<Self.periodMs / Self.sliceMs where !FollowPause.isInterrupted {
        usleep(useconds_t(Self.sliceMs * 1000))
      }
    }
  }
}
