import ArgumentParser
import Journal
import Playback
import Records
import SegmentLog
import Storage

struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Checks the files of all tables, the journal and the checkpoints: checksums and continuity.",
    discussion: """
      Reads every segment and tells each one that is damaged or missing, with its path and the offset. \
      Changes nothing, and may run next to the gateway. Exits with 1 where something is wrong.

      Example:
        stepgate verify --data /var/lib/stepgate
      """)

  @OptionGroup var data: DataDirectory

  func run() throws {
    let fileSystem = LocalFileSystem()
    _ = try inputOutput { () throws(StorageError) in try fileSystem.list(data.path) }
    let summary = verifyAll(fileSystem)
    guard summary.holdsAnything else {
      printMessage("\(data.path) holds no tables and no journal")
      throw ExitStatus.inputOutputFailed
    }
    try printData(summary.text)
    if !summary.problems.isEmpty { throw ExitStatus.foundSomethingWrong }
  }

  private func verifyAll(_ fileSystem: LocalFileSystem) -> VerifySummary {
    var summary = VerifySummary()
    var progress = TerminalProgress()
    defer { progress.finish() }
    func show(_ name: String) -> (Int) -> Void {
      let bytesBefore = summary.bytes
      return { bytes in progress.update("verify: \(name), \((bytesBefore + bytes) / 1_000_000) MB") }
    }
    for table in Table.allCases {
      let directory = table.directory(in: data.path)
      let result = Result { () throws(StorageError) in
        try verifyTable(fileSystem: fileSystem, directory: directory, progress: show(table.name))
      }
      summary.add(table, directory: directory, result)
    }
    let journal = Result { () throws(StorageError) in
      try verifyJournal(fileSystem: fileSystem, directory: data.journal, progress: show("journal"))
    }
    summary.addJournal(journal)
    let checkpoints = Result { () throws(StorageError) in
      try verifyCheckpoints(fileSystem: fileSystem, dataDirectory: data.path)
    }
    summary.addCheckpoints(checkpoints)
    return summary
  }
}
