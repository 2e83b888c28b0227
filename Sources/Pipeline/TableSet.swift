// The tables that an engine writes, as one: opened, flushed, rolled and closed together.
//
// Invariants:
// - A table that was opened stays open, whatever the settings are later: its position is in every checkpoint.
// - Of a table that is not open, the position is what it was when the set was made.

import Records
import SegmentLog
import Storage

/// The tables being written. One thread at a time.
public final class TableSet {
  private let fileSystem: any FileSystem
  private let dataDirectory: String
  /// Where the next rows go, by the state that the engine began with; nil: to the tables' ends.
  private let firstPositions: [Table: TablePosition]?
  private let writeBehind: WriteBehind?
  private var outputs = [TableOutput?](repeating: nil, count: Table.allCases.count)

  /// - Parameters:
  ///   - firstPositions: the tables may hold rows behind these already: those are made once more, and compared, until
  ///     `endRecovery`. Nil: rows are added to what the tables hold.
  ///   - writeBehind: writes the rows on its own thread; nil: they are written when they are flushed.
  init(
    fileSystem: any FileSystem, dataDirectory: String, resumingAt firstPositions: [Table: TablePosition]?,
    writeBehind: WriteBehind?
  ) {
    self.fileSystem = fileSystem
    self.dataDirectory = dataDirectory
    self.firstPositions = firstPositions
    self.writeBehind = writeBehind
  }

  /// Opens those that are not open yet.
  func open(_ tables: [Table], segmentBytes: Int) throws(SegmentLogError) {
    for table in tables where outputs[table.rawValue] == nil {
      let writer = try openWriter(table, SegmentOptions(segmentBytes: segmentBytes))
      outputs[table.rawValue] = TableOutput(table, writer: writer, writeBehind: writeBehind)
    }
  }

  private func openWriter(_ table: Table, _ options: SegmentOptions) throws(SegmentLogError) -> SegmentWriter
  {
    let directory = table.directory(in: dataDirectory)
    guard let firstPositions else {
      return try SegmentWriter(fileSystem: fileSystem, directory: directory, options: options)
    }
    return try SegmentWriter(
      fileSystem: fileSystem, directory: directory, options: options,
      resumingAt: firstPositions[table] ?? .start)
  }

  subscript(table: Table) -> TableOutput {
    guard let output = outputs[table.rawValue] else { preconditionFailure("\(table.name) is not written") }
    return output
  }

  /// The rows of each table that is open.
  public var rowCounts: [Table: Int] {
    var rows: [Table: Int] = [:]
    for case let output? in outputs { rows[output.table] = output.endOffset }
    return rows
  }

  /// Where each table's next row goes. Only after `flush`.
  public var positions: [Table: TablePosition] {
    var positions = firstPositions ?? [:]
    for case let output? in outputs { positions[output.table] = output.position }
    return positions
  }

  /// Writes the rows that wait in memory to the segments.
  public func flush() throws(StorageError) {
    for output in outputs { try output?.flush() }
  }

  /// Seals the segments, and begins others with the next rows.
  func roll() throws(StorageError) {
    for output in outputs { try output?.roll() }
  }

  /// Told that rows were made durable by somebody else.
  public func rowsAreDurable(to positions: [Table: TablePosition]) throws(StorageError) {
    for case let output? in outputs {
      if let position = positions[output.table] { try output.rowsAreDurable(to: position) }
    }
  }

  /// The end of a recovery: all rows to come are new.
  /// - Returns: the rows of each table that the records so far did not account for.
  public func endRecovery() throws(StorageError) -> [Table: Int] {
    var unexplained: [Table: Int] = [:]
    for case let output? in outputs {
      let rows = try output.endRecovery()
      if rows > 0 { unexplained[output.table] = rows }
    }
    return unexplained
  }

  /// What was found to be wrong with the tables since the last call.
  public func takeFindings() -> [(Table, RecoveryFinding)] {
    outputs.compactMap { $0 }.flatMap { output in output.takeFindings().map { (output.table, $0) } }
  }

  /// Writes what waits, makes it durable and ends the checksum blocks.
  public func close() throws(StorageError) {
    for output in outputs { try output?.close() }
  }
}
