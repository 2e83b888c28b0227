import ArgumentParser
import Pipeline
import SegmentLog
import Storage

struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Checks the files of all tables: checksums and continuity.",
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
    let summary = verifyTables(fileSystem)
    guard summary.tableCount > 0 else {
      printMessage("\(data.path) holds no tables")
      throw ExitStatus.inputOutputFailed
    }
    try printData(summary.text)
    if !summary.problems.isEmpty { throw ExitStatus.foundSomethingWrong }
  }

  private func verifyTables(_ fileSystem: LocalFileSystem) -> VerifySummary {
    var summary = VerifySummary()
    var progress = TerminalProgress()
    defer { progress.finish() }
    for table in Table.allCases {
      let directory = table.directory(in: data.path)
      let bytesBefore = summary.bytes
      do throws(StorageError) {
        let report = try verifyTable(fileSystem: fileSystem, directory: directory) { bytes in
          progress.update("verify: \(table.name), \((bytesBefore + bytes) / 1_000_000) MB")
        }
        summary.add(table, report)
      } catch  where error.isNotFound {
        summary.addMissing(table, directory: directory)
      } catch {
        summary.addUnreadable(table, error)
      }
    }
    return summary
  }
}
