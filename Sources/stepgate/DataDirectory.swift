// `--data`, the option of the commands that read tables.

import FoundationEssentials
import Gateway

let dataHelp = "The folder with the tables, storage.directory of the settings."

/// Where the gateway puts its tables when nobody says.
let defaultDataDirectory = Settings.Storage.defaultDirectory(environment: ProcessInfo.processInfo.environment)
