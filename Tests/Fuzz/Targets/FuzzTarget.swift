// What can be fuzzed. A target takes any bytes; what it finds wrong, it traps on.

import Storage

/// Runs one input; returns 0 (libFuzzer's "fuzz target").
typealias RunInput = @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt

enum FuzzTarget: String, CaseIterable {
  case payload, journal, segment, checkpoint

  /// The function for libFuzzer.
  var run: RunInput {
    switch self {
    case .payload: { give($0, $1, PayloadTarget.run) }
    case .journal: { give($0, $1, JournalTarget.run) }
    case .segment: { give($0, $1, SegmentTarget.run) }
    case .checkpoint: { give($0, $1, CheckpointTarget.run) }
    }
  }

  /// Well-formed inputs, by their names.
  var seeds: [(name: String, bytes: [UInt8])] {
    switch self {
    case .payload: PayloadTarget.seeds
    case .journal: JournalTarget.seeds
    case .segment: SegmentTarget.seeds
    case .checkpoint: CheckpointTarget.seeds
    }
  }

  /// Writes the seeds to files in `directory`, where libFuzzer takes them from.
  func writeSeeds(to directory: String) throws(StorageError) {
    let fileSystem = LocalFileSystem()
    try fileSystem.createDirectories(directory)
    for seed in seeds {
      try seed.bytes.span.bytes.withUnsafeBytes { bytes throws(StorageError) in
        try fileSystem.writeFileAtomically("\(directory)/\(seed.name)", bytes)
      }
    }
  }
}

private func give(_ bytes: UnsafePointer<UInt8>?, _ count: Int, _ run: (FuzzInput) -> Void) -> CInt {
  run(FuzzInput(UnsafeRawBufferPointer(start: bytes, count: count)))
  return 0
}
