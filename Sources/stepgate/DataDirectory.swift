// `--data`, the option of the commands that read tables.

import ArgumentParser
import FoundationEssentials
import Gateway
import Settings

struct DataDirectory: ParsableArguments {
  @Option(
    name: .customLong("data"),
    help: ArgumentHelp("The folder with the tables, storage.directory of the settings.", valueName: "dir"),
    completion: .directory)
  var path = Settings.Storage.defaultDirectory(environment: ProcessInfo.processInfo.environment)

  func validate() throws { try refuseEmptyPath(path, "--data") }
}

/// An empty path, as a script's unset variable makes it, would be the root folder.
func refuseEmptyPath(_ path: String, _ option: String) throws(ValidationError) {
  if path.isEmpty { throw ValidationError("\(option) takes a path, not an empty text.") }
}
