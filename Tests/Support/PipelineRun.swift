// The whole pipeline in memory: messages in, tables and verdicts out.

import Pipeline
import Records
import Storage

/// One message as a broker would deliver it.
public struct Message {
  public var kind: RecordKind
  public var arrivalMs: Int64
  public var topic: String
  public var payload: [UInt8]

  public init(_ kind: RecordKind, _ payload: String, arrivalMs: Int64 = 0, topic: String = "t") {
    self.init(kind, bytes: Array(payload.utf8), arrivalMs: arrivalMs, topic: topic)
  }

  public init(_ kind: RecordKind, bytes: [UInt8], arrivalMs: Int64 = 0, topic: String = "t") {
    self.kind = kind
    self.arrivalMs = arrivalMs
    self.topic = topic
    payload = bytes
  }
}

/// A text with the slack behind it that the parser may read. The slack is full of what would do harm if
/// it were taken for text.
public final class PaddedText {
  private let memory: UnsafeMutableRawBufferPointer
  public let bytes: UnsafeRawBufferPointer

  /// - Parameter behind: what the slack is filled with, again and again.
  public init(_ text: [UInt8], behind junk: [UInt8] = Array("\"}],9{e\n".utf8)) {
    memory = .allocate(byteCount: text.count + textSlack, alignment: 1)
    memory.copyBytes(from: text)
    for place in text.count..<memory.count { memory[place] = junk[place % junk.count] }
    bytes = UnsafeRawBufferPointer(rebasing: memory[..<text.count])
  }

  deinit { memory.deallocate() }
}

/// An engine over tables in memory.
public final class PipelineRun {
  public let engine: Engine
  private let fileSystem = MemoryFileSystem()
  private let settings: EngineSettings
  private let parser = RecordParser()
  private let batch = RecordBatch()

  public init(_ settings: EngineSettings, hashSeed: UInt64 = 1) throws {
    self.settings = settings
    engine = try Engine(settings: settings, fileSystem: fileSystem, dataDirectory: "data", hashSeed: hashSeed)
  }

  /// Parses messages into one batch and handles it.
  public func handle(_ messages: [Message]) throws {
    var texts: [PaddedText] = []
    for message in messages {
      let payload = PaddedText(message.payload)
      let topic = PaddedText(Array(message.topic.utf8))
      texts += [payload, topic]
      parser.parse(
        payload: payload.bytes, route: TopicRoute(kind: message.kind), arrivalMs: message.arrivalMs,
        topic: topic.bytes, into: batch)
    }
    try engine.process(batch)
    batch.clear()
    try engine.tables.flush()
    withExtendedLifetime(texts) {}
  }

  /// The rows of each of a table's segments, without their line feeds.
  public func segments(of table: Table) throws -> [[String]] {
    try segmentBytes(of: table).map { bytes in
      String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }
  }

  /// A table's rows, without their line feeds.
  public func rows(of table: Table) throws -> [String] { Array(try segments(of: table).joined()) }

  /// What a table's segments hold, one after another.
  public func bytes(of table: Table) throws -> [UInt8] { Array(try segmentBytes(of: table).joined()) }

  private func segmentBytes(of table: Table) throws -> [[UInt8]] {
    let directory = table.directory(in: "data")
    return try fileSystem.list(directory).filter { $0.first?.isNumber == true && $0.hasSuffix(".ndjson") }
      .map { try fileSystem.readFile("\(directory)/\($0)") }
  }

  /// The tables that are written with these settings.
  public var tables: [Table] { settings.tables }

  /// The verdicts that records got, by the names of kind and verdict; those of no record are left out.
  public var verdicts: [String: [String: Int]] {
    var verdicts: [String: [String: Int]] = [:]
    for kind in RecordKind.allCases {
      for verdict in Verdict.allCases where engine.counts[kind, verdict] > 0 {
        verdicts[kind.name, default: [:]][verdict.name] = engine.counts[kind, verdict]
      }
    }
    return verdicts
  }
}
