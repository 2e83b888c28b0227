// A gateway with a settings file that its operator edits, a service manager that it reports to, and signals.

import Foundation
import TestSupport
import Testing

/// What an operator has in hand.
final class OperatedGateway {
  let fixture: GatewayFixture
  let manager: NotifySocket
  private let config: String
  /// Besides `NOTIFY_SOCKET`.
  var environment: [String: String] = [:]

  /// - Parameter settings: keys of two parts, as in the settings file.
  init(_ broker: PrivateBroker? = nil, settings: [String: String] = [:]) throws {
    fixture = try GatewayFixture(broker, settings: settings)
    manager = try NotifySocket()
    config = try fixture.folder.file("stepgate.yaml", "")
    try write()
  }

  /// Writes the settings file, with these changes to it from now on.
  func write(_ changes: [String: String] = [:]) throws {
    fixture.settings.merge(changes) { $1 }
    let sections = Dictionary(grouping: fixture.settings) { $0.key.prefix { $0 != "." } }
    let lines = sections.flatMap { section, settings in
      ["\(section):"] + settings.map { "  \($0.key.dropFirst(section.count + 1)): \"\($0.value)\"" }
    }
    try lines.joined(separator: "\n").write(toFile: config, atomically: true, encoding: .utf8)
  }

  func start() throws -> RunningGateway {
    let environment = environment.merging(["NOTIFY_SOCKET": manager.name]) { $1 }
    return RunningGateway(try StepgateProcess(["run", "--config", config], environment: environment))
  }

  /// Starts it and waits until the manager knows that it takes messages.
  func startAndConnect() async throws -> RunningGateway {
    let ready = manager.count("READY=1")
    let gateway = try start()
    try await gateway.says("; subscribed")
    try await gateway.eventually("the manager hears that it is ready") { manager.count("READY=1") > ready }
    return gateway
  }

  /// Has the settings read again, and waits until the manager hears that this is done.
  func reload(_ gateway: RunningGateway) async throws {
    let (before, ready) = (manager.count("RELOADING=1"), manager.count("READY=1"))
    gateway.process.send(SIGHUP)
    try await gateway.eventually("the settings are read again") {
      manager.count("RELOADING=1") > before && manager.count("READY=1") > ready
    }
  }
}
