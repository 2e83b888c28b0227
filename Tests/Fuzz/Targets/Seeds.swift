// Writes the targets' seeds to files, where libFuzzer takes them from.

import Storage

/// Writes each seed to `directory/TARGET/NAME`.
func writeSeeds(to directory: String) throws(StorageError) {
  let fileSystem = LocalFileSystem()
  for target in FuzzTarget.allCases {
    let folder = "\(directory)/\(target.rawValue)"
    try fileSystem.createDirectories(folder)
    for seed in target.seeds {
      try seed.bytes.span.bytes.withUnsafeBytes { bytes throws(StorageError) in
        try fileSystem.writeFileAtomically("\(folder)/\(seed.name)", bytes)
      }
    }
  }
}
