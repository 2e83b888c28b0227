// `stepgate check-config`, the program: every error at once, on stderr, with the exit code for it.

import Foundation
import Testing

@Suite struct CheckConfigTests {
  @Test func `Every error is a line with its place, its key and what is allowed`() async throws {
    let folder = try TemporaryFolder()
    let file = try folder.file(
      "stepgate.yaml",
      """
      mqtt:
        port: 70000
        hots: localhost
      topics:
        accelerometer: a/{email}
      consent:
        as_of: always
      customers:
        path: /etc/passwd/x
      """)
    let outcome = try await stepgate(
      ["check-config", file], environment: ["STEPGATE_JOIN_TOLERANCE": "soon"])

    #expect(outcome.status == 78)
    #expect(outcome.output == "")
    let starts = [
      "\(file):2: mqtt.port: \"70000\" is more than 65535; allowed: ",
      "\(file):3: mqtt.hots: unknown key; did you mean mqtt.host?",
      "\(file):5: topics.accelerometer: \"a/{email}\" has an unknown placeholder; allowed: ",
      "\(file):7: consent.as_of: \"always\" is not one of the choices; allowed: enforce, presence",
      "\(file):9: customers.path: \"/etc/passwd/x\" cannot be read: Not a directory; allowed: ",
      "STEPGATE_JOIN_TOLERANCE: join.tolerance: \"soon\" is not a duration; allowed: ",
    ]
    let lines = outcome.error.split(separator: "\n")
    #expect(lines.count == starts.count)
    for (line, start) in zip(lines, starts) { #expect(line.hasPrefix(start)) }
  }

  @Test func `A file without errors is told so`() async throws {
    let folder = try TemporaryFolder()
    let file = try folder.file("stepgate.yaml", "join:\n  tolerance: 1s\n")
    let outcome = try await stepgate(["check-config", file])

    #expect(outcome.status == 0)
    #expect(outcome.output == "\(file): no errors\n")
    #expect(outcome.error == "")
  }

  @Test func `Customers that are not there yet are no error, but are told of`() async throws {
    let folder = try TemporaryFolder()
    let file = try folder.file("stepgate.yaml", "customers:\n  path: \(folder.path)/customers\n")
    let outcome = try await stepgate(["check-config", file])

    #expect(outcome.status == 0)
    #expect(outcome.output == "\(file): no errors\n")
    #expect(
      outcome.error
        == "note: customers.path: \(folder.path)/customers is not there yet; the gateway will wait for it\n")
  }

  @Test func `A file that is not there is wrong configuration`() async throws {
    let outcome = try await stepgate(["check-config", "/nowhere.yaml"])

    #expect(outcome.status == 78)
    #expect(outcome.error == "/nowhere.yaml: cannot be read: No such file or directory\n")
  }
}
