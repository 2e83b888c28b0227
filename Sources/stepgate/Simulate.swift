import ArgumentParser
import Gateway
import Mosquitto
import Settings
import Simulator
import Threads

struct Simulate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Publishes readings to a broker, made-up ones or those of files.",
    discussion: """
      Makes up customers and their readings, some without consent, some malformed, some twice, some late, \
      and publishes them at QoS 1; the same seed makes the same data. With files it publishes their records \
      instead. Ends when the broker has acknowledged all.

      Examples:
        stepgate simulate --broker 127.0.0.1:1883 --customers 100 --readings 10000 --rate 500
        stepgate simulate --broker [::1]:1883 --customer data/customer --accelerometer \\
          data/accelerometer --step-trainer data/step_trainer
      """)

  @Option(
    help: ArgumentHelp("The broker; an IPv6 address in brackets: [::1]:1883.", valueName: "host:port"))
  var broker: HostAndPort

  @OptionGroup(title: "For a broker that wants to know who connects")
  var login: BrokerLogin

  @Option(help: ArgumentHelp("How many customers to make up (default: 100).", valueName: "n"))
  var customers: Int?

  @Option(help: ArgumentHelp("How many readings to make up in all (default: 10000).", valueName: "n"))
  var readings: Int?

  @Option(
    help: ArgumentHelp(
      "How many messages a second to publish (default: as many as the broker takes).", valueName: "n"))
  var rate: Int?

  @Option(help: ArgumentHelp("What the made-up data follows from (default: 1).", valueName: "n"))
  var seed: UInt64?

  @Option(
    help: ArgumentHelp("Customer records to publish, a file or a folder.", valueName: "path"),
    completion: .file())
  var customer: String?

  @Option(
    help: ArgumentHelp("Accelerometer readings to publish, a file or a folder.", valueName: "path"),
    completion: .file())
  var accelerometer: String?

  @Option(
    help: ArgumentHelp("Step trainer readings to publish, a file or a folder.", valueName: "path"),
    completion: .file())
  var stepTrainer: String?

  @Option(help: "Which readings of the files go first; interleaved takes them by chance, after the seed.")
  var order = FileMessages.Order.interleaved

  /// What there is to publish.
  enum Source: Equatable {
    case madeUp(customers: Int, readings: Int, seed: UInt64)
    case files(customer: String?, accelerometer: String?, stepTrainer: String?)
  }

  var source: Source {
    if customer != nil || accelerometer != nil || stepTrainer != nil {
      return .files(customer: customer, accelerometer: accelerometer, stepTrainer: stepTrainer)
    }
    return .madeUp(customers: customers ?? 100, readings: readings ?? 10_000, seed: seed ?? 1)
  }

  func validate() throws {
    if broker.port == 0 { throw ValidationError("--broker needs a port from 1 to 65535.") }
    if let customers, customers < 1 { throw ValidationError("--customers takes a number from 1.") }
    if let readings, readings < 0 { throw ValidationError("--readings takes a number from 0.") }
    if let rate, rate < 1 { throw ValidationError("--rate takes a number from 1.") }
    if case .files = source, customers != nil || readings != nil {
      throw ValidationError("--customers and --readings are for made-up data, not for files.")
    }
  }

  func run() throws {
    let clientID = "stepgate-simulate-\(UInt32.random(in: 0 ... .max))"
    var options = ConnectOptions(host: broker.host, port: UInt16(broker.port), clientID: clientID)
    try login.apply(to: &options)
    var progress = TerminalProgress()
    defer { progress.finish() }
    let sums: PublishProgress
    do {
      let publisher = try Publisher(options)
      publisher.ratePerSecond = rate.map(Double.init)
      sums = try publish(with: publisher) {
        progress.update("published \($0.sent), acknowledged \($0.acknowledged)")
      }
    } catch {
      printMessage("\(error)")
      throw ExitStatus.inputOutputFailed
    }
    progress.finish()
    printMessage("published \(sums.sent) messages (\(sums.records) records), all acknowledged by the broker")
    if sums.refused > 0 {
      printMessage("the broker refused \(sums.refused) of them; do its access rules allow these topics?")
      throw ExitStatus.foundSomethingWrong
    }
  }

  private func publish(
    with publisher: Publisher, report: (PublishProgress) -> Void
  ) throws -> PublishProgress {
    switch source {
    case .madeUp(let customers, let readings, let seed):
      let fleet = Fleet(
        customers: customers, readings: readings, seed: seed, nowMs: Int(SystemClock().wallMs))
      return try publisher.publish(fleet, report: report)
    case .files(let customer, let accelerometer, let stepTrainer):
      let files = try FileMessages(
        customer: customer, accelerometer: accelerometer, stepTrainer: stepTrainer, order: order,
        seed: seed ?? 1)
      var messages = files.makeIterator()
      let sums = try publisher.publish(from: &messages, report: report)
      if let error = messages.error { throw error }
      return sums
    }
  }
}

extension FileMessages.Order: ExpressibleByArgument {}

extension HostAndPort: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}
