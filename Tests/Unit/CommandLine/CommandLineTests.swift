// The options of the commands, their defaults, and the exit codes of what is wrong with them.

import ArgumentParser
import Foundation
import Gateway
import Records
import Settings
import Testing

@testable import stepgate

private let replayPaths = ["--customer", "c", "--accelerometer", "a", "--step-trainer", "s", "--output", "o"]
private let broker = ["--broker", "127.0.0.1:1883"]

@Suite struct CommandLineTests {
  @Test(arguments: [
    ["unknown"], ["run", "extra"], ["run", "--config"], ["run", "--unknown"],
    ["replay"], ["replay"] + replayPaths.dropLast(2), ["replay"] + replayPaths + ["--consent", "always"],
    ["replay"] + replayPaths + ["--pairing", "x"], ["replay"] + replayPaths + ["--summary", "xml"],
    ["replay"] + replayPaths + ["--tolerance-ms", "-1"],
    ["replay"] + replayPaths + ["--tolerance-ms", "1.5"],
    ["replay"] + replayPaths + ["--tolerance-ms", "315360000001"],
    ["simulate"], ["simulate", "--broker", "localhost"], ["simulate", "--broker", "::1:1883"],
    ["simulate", "--broker", "localhost:0"], ["simulate"] + broker + ["--customers", "0"],
    ["simulate"] + broker + ["--readings", "-1"], ["simulate"] + broker + ["--rate", "0"],
    ["simulate"] + broker + ["--seed", "-1"], ["simulate"] + broker + ["--customer", "c", "--readings", "1"],
    ["tail"], ["tail", "unknown_table"], ["tail", "rejected", "--lines", "-1"],
    ["tail", "rejected", "--from-offset", "-1"], ["tail", "rejected", "--data", ""], ["verify", "extra"],
    ["verify", "--data", ""], ["replay"] + replayPaths.dropLast() + [""], ["check-config"],
    ["check-config", "a", "b"],
  ])
  func `Wrong usage exits with 64`(arguments: [String]) {
    let error = #expect(throws: (any Error).self) { try Stepgate.parseAsRoot(arguments) }

    #expect(error.map { Stepgate.exitCode(for: $0).rawValue } == 64)
  }

  @Test(arguments: [["--help"], ["--version"], ["help", "replay"], ["tail", "--help"]])
  func `Asking for help is no error`(arguments: [String]) throws {
    let error = #expect(throws: (any Error).self) {
      var command = try Stepgate.parseAsRoot(arguments)
      try command.run()
    }

    #expect(error.map { Stepgate.exitCode(for: $0).rawValue } == 0)
  }

  @Test func `Every command explains itself with an example`() throws {
    #expect(
      Stepgate.configuration.subcommands.map { $0._commandName } == [
        "run", "replay", "simulate", "tail", "verify", "journal", "status", "check-config",
      ])
    for command in Stepgate.configuration.subcommands {
      let help = Stepgate.helpMessage(for: command, columns: 80)
      #expect(help.contains("\n  stepgate \(command._commandName) "), "\(help)")
      #expect(help.split(separator: "\n").allSatisfy { $0.count <= 80 || $0.hasPrefix("USAGE") }, "\(help)")
    }
  }

  @Test func `A replay's options override its settings`() throws {
    let plain = try Replay.parse(replayPaths)
    #expect(plain.summary == .text)
    #expect(try plain.settings() == Settings.load(file: nil))

    let options = [
      "--tolerance-ms", "250", "--consent", "presence", "--pairing", "timestamp", "--summary", "json",
    ]
    let replay = try Replay.parse(replayPaths + options)
    let settings = try replay.settings()
    #expect(
      [replay.customer, replay.accelerometer, replay.stepTrainer, replay.output] == ["c", "a", "s", "o"])
    #expect(replay.summary == .json)
    #expect(settings.join.toleranceMs == 250)
    #expect(settings.join.pairing == .timestamp)
    #expect(settings.consent.asOf == .presence)
  }

  @Test func `A simulation has defaults for what it makes up`() throws {
    let simulate = try Simulate.parse(broker)

    #expect(simulate.broker == HostAndPort(host: "127.0.0.1", port: 1883))
    #expect(simulate.source == .madeUp(customers: 100, readings: 10_000, seed: 1))
    #expect(simulate.rate == nil)
  }

  @Test func `A simulation takes counts and a seed, or files`() throws {
    let counts = ["--customers", "3", "--readings", "5", "--seed", "18446744073709551615", "--rate", "7"]
    let madeUp = try Simulate.parse(["--broker", "[::1]:1883"] + counts)
    #expect(madeUp.broker.host == "::1")
    #expect(madeUp.source == .madeUp(customers: 3, readings: 5, seed: .max))
    #expect(madeUp.rate == 7)

    let files = try Simulate.parse(broker + ["--customer", "c", "--step-trainer", "s", "--rate", "7"])
    #expect(files.source == .files(customer: "c", accelerometer: nil, stepTrainer: "s"))
  }

  @Test func `Tail takes a table and where to begin`() throws {
    let plain = try Tail.parse(["machine_learning_curated"])
    #expect(plain.table == .machineLearningCurated)
    #expect(!plain.follow)
    #expect(plain.lines == nil)
    #expect(plain.fromOffset == nil)

    let tail = try Tail.parse(["rejected", "--data", "d", "--follow", "--lines", "3", "--from-offset", "9"])
    #expect(tail.data.path == "d")
    #expect(tail.follow)
    #expect(tail.lines == 3)
    #expect(tail.fromOffset == 9)
  }

  @Test func `Tail takes every table by its name`() throws {
    for table in Table.allCases {
      #expect(try Tail.parse([table.name]).table == table)
    }
    #expect(try Tail.parse(["rejected"]).data.path == Settings().storage.directory)
  }

  @Test func `Checking a wrong file exits with 78`() throws {
    let folder = try SettingsFolder()
    let wrong = try CheckConfig.parse([try folder.file("wrong.yaml", "mqtt:\n  port: 0\n")])
    let missing = try CheckConfig.parse(["\(folder.path)/missing.yaml"])

    for command in [wrong, missing] {
      let error = #expect(throws: ExitCode.self) { try command.run() }
      #expect(error?.rawValue == 78)
    }
  }

  @Test func `Checking the shipped file succeeds`() throws {
    try CheckConfig.parse(["\(repositoryPath)/config/stepgate.yaml"]).run()
  }
}
