// The pipeline over files: one thread reads and parses, another judges and joins, a third writes.
//
// Invariants:
// - The order of records is that of the files: customers, accelerometer, step trainer, each in name
//   order; blocks and threads change nothing about it.
// - Nothing is too late, too early or evicted: a replay gives all pairs there are.

import Dispatch
import Records
import SegmentLog
import Storage
import Threads

/// What a replay reads and writes.
public struct ReplayPlan {
  public var customerPath: String
  public var accelerometerPath: String
  public var stepTrainerPath: String
  public var outputDirectory: String
  /// A longer record is `oversized`.
  public var maxRecordBytes: Int

  public init(
    customerPath: String, accelerometerPath: String, stepTrainerPath: String, outputDirectory: String,
    maxRecordBytes: Int
  ) {
    self.customerPath = customerPath
    self.accelerometerPath = accelerometerPath
    self.stepTrainerPath = stepTrainerPath
    self.outputDirectory = outputDirectory
    self.maxRecordBytes = maxRecordBytes
  }
}

/// What a replay came to.
public struct ReplayResult {
  public let counts: VerdictCounts
  /// Rows of each table that was written.
  public let rows: [Table: Int]
}

/// Why a replay failed.
public enum ReplayError: Error, CustomStringConvertible {
  case input(RecordFilesError)
  case output(StorageError)
  case tables(SegmentLogError)
  /// The output folder holds tables already; a replay would add all rows to them again.
  case outputNotEmpty(path: String)

  public var description: String {
    switch self {
    case .input(let error): error.description
    case .output(let error): error.description
    case .tables(let error): error.description
    case .outputNotEmpty(let path): "\(path) holds tables already; choose an empty or new folder for --output"
    }
  }
}

/// Runs the pipeline over files.
public final class Replay {
  // Enough that neither thread waits for the other's hiccups.
  private static let blockCount = 8

  private let files: [RecordFiles]
  private let engine: Engine
  private let maxRecordBytes: Int
  private let arrivalMs: Int64

  /// Opens the files and the tables.
  /// - Parameter arrivalMs: the arrival time of all records, milliseconds since 1970-01-01 UTC.
  public init(
    _ plan: ReplayPlan, settings: EngineSettings, fileSystem: any FileSystem, arrivalMs: Int64
  ) throws(ReplayError) {
    do throws(RecordFilesError) {
      files = [
        try RecordFiles(kind: .customer, path: plan.customerPath, fileSystem: fileSystem),
        try RecordFiles(kind: .accelerometer, path: plan.accelerometerPath, fileSystem: fileSystem),
        try RecordFiles(kind: .stepTrainer, path: plan.stepTrainerPath, fileSystem: fileSystem),
      ]
    } catch { throw .input(error) }
    for table in Table.allCases {
      if let names = try? fileSystem.list(table.directory(in: plan.outputDirectory)), !names.isEmpty {
        throw .outputNotEmpty(path: plan.outputDirectory)
      }
    }
    var settings = settings
    settings.join.evicts = false
    settings.futureSkewMs = nil
    settings.segmentAgeMs = nil
    settings.live = false
    do throws(SegmentLogError) {
      engine = try Engine(
        settings: settings, fileSystem: fileSystem, dataDirectory: plan.outputDirectory, writesBehind: true)
    } catch { throw .tables(error) }
    maxRecordBytes = plan.maxRecordBytes
    self.arrivalMs = arrivalMs
  }

  /// The bytes to read.
  public var byteCount: Int { files.reduce(0) { $0 + $1.byteCount } }

  /// Reads everything and writes all tables.
  /// - Parameter progress: gets the bytes handled so far, on the calling thread.
  public func run(progress: (Int) -> Void = { _ in }) throws(ReplayError) -> ReplayResult {
    let reader = FileReader(
      files: files, blockCount: Self.blockCount, arrivalMs: arrivalMs, maxRecordBytes: maxRecordBytes)
    let thread = DispatchQueue(label: "stepgate.replay.read")
    thread.async { reader.run() }
    // Whatever happens, the reader must have stopped before the files are let go.
    defer {
      reader.stop()
      thread.sync {}
    }
    var handled = 0
    do throws(StorageError) {
      while let (block, byteCount) = reader.filled.take() {
        try engine.process(block.batch)
        block.batch.clear()
        _ = reader.free.put(block)
        handled += byteCount
        progress(handled)
      }
    } catch { throw .output(error) }
    if let failure = reader.failure { throw .input(failure) }
    engine.endHeld()
    do throws(StorageError) { try engine.tables.close() } catch { throw .output(error) }
    return ReplayResult(counts: engine.counts, rows: engine.tables.rowCounts)
  }
}

/// The reading and parsing half.
// `failure` is written by the reading thread before it closes `filled`, and read after that.
private final class FileReader: @unchecked Sendable {
  let free: BoundedQueue<RecordBlock>
  let filled: BoundedQueue<(RecordBlock, Int)>
  private let files: [RecordFiles]
  private let arrivalMs: Int64
  private let maxRecordBytes: Int
  private(set) var failure: RecordFilesError?

  init(files: [RecordFiles], blockCount: Int, arrivalMs: Int64, maxRecordBytes: Int) {
    self.files = files
    self.arrivalMs = arrivalMs
    self.maxRecordBytes = maxRecordBytes
    free = BoundedQueue(capacity: blockCount)
    filled = BoundedQueue(capacity: blockCount)
    for _ in 0..<blockCount { _ = free.put(RecordBlock()) }
  }

  func run() {
    let parser = RecordParser()
    do throws(RecordFilesError) {
      for file in files {
        try file.read(
          parser: parser, maxRecordBytes: maxRecordBytes,
          nextBlock: { self.free.take() },
          piece: { piece, topic, block in
            parser.parse(piece, kind: file.kind, arrivalMs: self.arrivalMs, topic: topic, into: block.batch)
          },
          filled: { block, byteCount in _ = self.filled.put((block, byteCount)) })
      }
    } catch { failure = error }
    filled.close()
  }

  func stop() {
    free.close()
    filled.close()
  }
}
