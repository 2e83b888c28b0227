// Runs the program itself, as a user would: arguments in, exit status, stdout and stderr out.
//
// Invariants: a process ends with its value at the latest; every wait has a deadline; the settings of whoever
// runs the tests do not reach it.

import Foundation
import TestSupport
import Testing

/// How a finished run ended, and all that it printed.
struct Outcome {
  /// The exit status; the negative number of the signal that ended it.
  let status: Int32
  let output: String
  let error: String
}

/// Runs the program to its end.
///
/// - Parameters:
///   - output: where stdout goes instead of `Outcome.output`.
///   - redirection: what a shell would be told behind the command, e.g. `>&-`.
func stepgate(
  _ arguments: [String], environment: [String: String] = [:], output: FileHandle? = nil,
  redirection: String? = nil
) async throws -> Outcome {
  let process = try StepgateProcess(
    arguments, environment: environment, output: output, redirection: redirection)
  let status = try await process.exitStatus()
  return Outcome(status: status, output: try process.output, error: try process.error)
}

/// One run of the program.
final class StepgateProcess {
  private let process: SpawnedProcess
  private let folder: TemporaryFolder
  private let outputPath: String
  private let errorPath: String

  /// Starts it.
  init(
    _ arguments: [String], environment: [String: String] = [:], output: FileHandle? = nil,
    redirection: String? = nil
  ) throws {
    folder = try TemporaryFolder()
    // Files, since nobody needs to empty them while the process runs.
    outputPath = try folder.file("stdout", "")
    errorPath = try folder.file("stderr", "")
    let program = try #require(programURL(), "the stepgate program is not built").path
    let output = try output ?? FileHandle(forWritingTo: URL(filePath: outputPath))
    let error = try FileHandle(forWritingTo: URL(filePath: errorPath))
    let command = redirection.map { ["-c", "exec \"$0\" \"$@\" \($0)", program] }
    process = try SpawnedProcess(
      command == nil ? program : "/bin/sh", (command ?? []) + arguments, environment: environment,
      input: "/dev/null", output: output.fileDescriptor, error: error.fileDescriptor)
  }

  deinit { process.signal(SIGKILL) }

  /// What it has printed on stdout so far.
  var output: String { get throws { try String(contentsOfFile: outputPath, encoding: .utf8) } }
  /// What it has printed on stderr so far.
  var error: String { get throws { try String(contentsOfFile: errorPath, encoding: .utf8) } }

  /// The length of `output`, without reading it.
  var outputBytes: Int {
    get throws {
      let attributes = try FileManager.default.attributesOfItem(atPath: outputPath)
      return try #require(attributes[.size] as? Int)
    }
  }
  /// `output` as it is, whatever its bytes.
  var outputData: Data { get throws { try Data(contentsOf: URL(filePath: outputPath)) } }
  var isRunning: Bool { process.ending == nil }
  var processID: Int32 { process.pid }

  /// Sends a signal, unless the process has ended.
  func send(_ signal: Int32) { process.signal(signal) }

  /// Stops it where it is (SIGSTOP), until it is sent SIGCONT.
  func freeze() async throws {
    send(SIGSTOP)
    try await eventually("the process stands still") { status("State")?.hasPrefix("T") == true }
  }

  /// The most memory that was resident at any time so far (proc(5), `VmHWM`).
  func peakMemoryBytes() throws -> Int {
    let text = try #require(status("VmHWM")?.split(separator: " ").first, "the process has ended")
    return try #require(Int(text)) << 10
  }

  /// The time that it has been running on a processor so far (proc(5), `/proc/pid/stat`).
  func processorSeconds() throws -> Double {
    let text = try String(contentsOfFile: "/proc/\(processID)/stat", encoding: .utf8)
    let fields = try #require(text.split(separator: ")").last).split(separator: " ")
    // utime and stime, the 14th and 15th; two are before the bracket.
    let ticks = fields[11...12].compactMap { Double($0) }
    return ticks.reduce(0, +) / Double(sysconf(CInt(_SC_CLK_TCK)))
  }

  /// Waits for the process to end by itself.
  func exitStatus() async throws -> Int32 {
    try await eventually("the process ends") { !isRunning }
    return switch try #require(process.ending) {
    case .exited(let status): status
    case .killed(let signal): -signal
    }
  }

  /// Whether the process has a handler for the signal (proc(5), `SigCgt`), that is, has come that far.
  func handles(_ signal: Int32) -> Bool {
    let mask = status("SigCgt").flatMap { UInt64($0, radix: 16) } ?? 0
    return mask >> UInt64(signal - 1) & 1 == 1
  }

  /// What the kernel says of it under a name (proc(5), `/proc/pid/status`); nil once it has ended.
  private func status(_ name: String) -> String? {
    let path = "/proc/\(processID)/status"
    let lines = (try? String(contentsOfFile: path, encoding: .utf8))?.split(separator: "\n") ?? []
    return lines.first { $0.hasPrefix(name + ":") }?.dropFirst(name.count + 1)
      .trimmingCharacters(in: .whitespaces)
  }
}

/// Waits until the condition holds; an issue and an error when that takes too long.
func eventually(
  _ what: String, within limit: Duration = .seconds(60), _ condition: () throws -> Bool
) async throws {
  let deadline = ContinuousClock.now + limit
  while try !condition() {
    try #require(ContinuousClock.now < deadline, "\(what), within \(limit)")
    try await Task.sleep(for: .milliseconds(5))
  }
}

/// The program lies beside the tests' own, wherever SwiftPM was told to build.
private func programURL() -> URL? {
  let tests = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
  let repository = URL(filePath: #filePath).appending(path: "../../..").standardized
  let candidates = [
    tests.deletingLastPathComponent().appending(path: "stepgate"),
    repository.appending(path: ".build/debug/stepgate"),
  ]
  return candidates.first { FileManager.default.isExecutableFile(atPath: $0.path) }
}

/// A folder of its own, removed with the value's last reference.
final class TemporaryFolder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "stepgate-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file, and the folders above it, and returns its path.
  func file(_ name: String, _ text: String) throws -> String {
    let url = URL(filePath: "\(path)/\(name)")
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
    return url.path
  }
}
