// Journals as the gateway writes them, whole and cut off.

import Storage
import TestSupport

@testable import Journal

extension JournalTarget {
  static var seeds: [(name: String, bytes: [UInt8])] {
    let bodies = bodies()
    let whole = [0, 0, 0, 0] as [UInt8]
    return [
      ("nothing", FuzzInput.bytes([], [])),
      ("one entry", FuzzInput.bytes(whole, [Array(bodies[0].prefix(56))])),
      ("segments", FuzzInput.bytes(whole, bodies)),
      ("gap", FuzzInput.bytes([1], bodies)),
      ("torn", FuzzInput.bytes(whole, [bodies[0].dropLast(3)])),
      ("torn entries", FuzzInput.bytes([0, 0, 0b1110], [bodies[0]])),
      ("damaged", FuzzInput.bytes([0, 0, 0b0001], bodies)),
      ("torn header", FuzzInput.bytes([0, 0b10, 0], [bodies[0], Array(repeating: 0, count: 20)])),
      ("high positions", FuzzInput.bytes([0, 0, 0, 2], bodies)),
      ("long entry", FuzzInput.bytes(whole, [longBody()])),
    ]
  }

  private static func bodies() -> [[UInt8]] {
    bodies(
      [
        .init(kind: .settings, packetID: 0, payload: Array("{}".utf8)),
        .init(kind: .sessionGap, packetID: 0, payload: [1, 2, 3, 4, 5, 6, 7, 8]),
        .init(
          kind: .message, packetID: 1, topic: Array("accelerometer/u".utf8), payload: Array("{\"x\":1}".utf8)),
        .init(kind: .message, packetID: 2, topic: Array("t".utf8), payload: []),
        .init(kind: .customerFile, packetID: 0, topic: Array("c.json".utf8), payload: Array("{}\n{}\n".utf8)),
      ])
  }

  private static func longBody() -> [UInt8] {
    bodies([.init(kind: .message, packetID: 1, payload: Array(repeating: 0x20, count: 300))])[0]
  }

  private static func bodies(_ entries: [JournalRunEntry]) -> [[UInt8]] {
    let fileSystem = MemoryFileSystem()
    do {
      let writer = try JournalWriter(
        fileSystem: fileSystem, directory: JournalRun.directory, options: JournalOptions(segmentBytes: 128))
      let buffer = EntryBuffer()
      for entry in entries {
        buffer.reset()
        entry.append(to: buffer)
        try writer.append(buffer)
        try writer.sync()
      }
      return try fileSystem.list(JournalRun.directory).map { name in
        Array(
          try fileSystem.readFile("\(JournalRun.directory)/\(name)").dropFirst(JournalFormat.fileHeaderBytes))
      }
    } catch { preconditionFailure("a journal in memory: \(error)") }
  }
}
