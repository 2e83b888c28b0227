import ArgumentParser

struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Checks the files of all tables: checksums and continuity.",
    discussion: """
      Reads every segment and tells each one that is damaged or missing, with its path and the offset. \
      Changes nothing, and may run next to the gateway. Exits with 1 where something is wrong.

      Example:
        stepgate verify --data /var/lib/stepgate
      """)

  @Option(help: ArgumentHelp(dataHelp, valueName: "dir"), completion: .directory)
  var data = defaultDataDirectory
}
