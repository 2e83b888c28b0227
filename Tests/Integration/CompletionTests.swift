// What a shell completes, made by swift-argument-parser: that it is there for each shell, and knows all commands.

import Testing

@Suite struct CompletionTests {
  @Test(arguments: ["bash", "zsh", "fish"])
  func `The completions of a shell name every command`(shell: String) async throws {
    let outcome = try await stepgate(["--generate-completion-script", shell])
    #expect(outcome.status == 0)
    let commands = [
      "run", "replay", "simulate", "tail", "verify", "journal", "status", "check-config",
    ]
    for command in commands { #expect(outcome.output.contains(command), "\(command) in \(shell)") }
    #expect(outcome.output.contains("machine_learning_curated"))
  }
}
