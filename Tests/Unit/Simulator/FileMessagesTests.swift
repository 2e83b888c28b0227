import Foundation
import Testing

@testable import Simulator

@Suite final class `Record files` {
  private let folder: String

  init() throws {
    folder = NSTemporaryDirectory() + "/stepgate-files-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: folder)
  }

  private func write(_ name: String, _ text: String) throws -> String {
    let path = folder + "/" + name
    let parent = (path as NSString).deletingLastPathComponent
    try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }

  private func lines(_ files: FileMessages) throws -> [String] {
    var iterator = files.makeIterator()
    var lines: [String] = []
    while let message = iterator.next() {
      let kind = message.topic.split(separator: "/")[1]
      lines.append("\(kind) \(String(decoding: message.payload, as: UTF8.self))")
    }
    #expect(iterator.error == nil)
    return lines
  }

  @Test func `A folder's files are read in name order, every line but the empty ones, as it is`() throws {
    _ = try write("c/b.json", "{\"n\": 3}\r\n\n  {\"n\":4}")
    _ = try write("c/a.ndjson", "{\"n\":1}\n{\"n\":2}\n")
    _ = try write("c/c.jsonl", "")
    _ = try write("c/readme.txt", "no record\n")
    _ = try write("c/.hidden.json", "no record\n")
    let files = try FileMessages(customer: folder + "/c", accelerometer: nil, stepTrainer: nil)
    #expect(
      try lines(files) == [
        "customer {\"n\":1}", "customer {\"n\":2}", "customer {\"n\": 3}", "customer   {\"n\":4}",
      ])
  }

  @Test func `The order of sides is the one asked for, customers always first`() throws {
    let customer = try write("customer.json", "c1\nc2\n")
    let accelerometer = try write("accelerometer.json", (0..<50).map { "a\($0)\n" }.joined())
    let stepTrainer = try write("step.json", (0..<50).map { "s\($0)\n" }.joined())
    func read(_ order: FileMessages.Order, seed: UInt64 = 0) throws -> [String] {
      try lines(
        FileMessages(
          customer: customer, accelerometer: accelerometer, stepTrainer: stepTrainer, order: order, seed: seed
        ))
    }
    let customers = ["customer c1", "customer c2"]
    let accelerometers = (0..<50).map { "accelerometer a\($0)" }
    let stepTrainers = (0..<50).map { "step_trainer s\($0)" }
    #expect(try read(.accelerometerFirst) == customers + accelerometers + stepTrainers)
    #expect(try read(.stepTrainerFirst) == customers + stepTrainers + accelerometers)

    let interleaved = try read(.interleaved, seed: 7)
    #expect(Array(interleaved.prefix(2)) == customers)
    #expect(interleaved.filter { $0.hasPrefix("acc") } == accelerometers)
    #expect(interleaved.filter { $0.hasPrefix("step") } == stepTrainers)
    #expect(interleaved[2..<52].contains { $0.hasPrefix("acc") })
    #expect(interleaved[2..<52].contains { $0.hasPrefix("step") })
    #expect(try read(.interleaved, seed: 7) == interleaved)
    #expect(try read(.interleaved, seed: 8) != interleaved)
  }

  @Test func `A path that is not there is an error before anything is read`() {
    let path = folder + "/missing"
    #expect(throws: FileError(path: path, errno: ENOENT)) {
      try FileMessages(customer: nil, accelerometer: path, stepTrainer: nil)
    }
  }

  @Test func `A file that goes away while others are read ends the iteration with its error`() throws {
    _ = try write("a/1.json", "1\n")
    let second = try write("a/2.json", "2\n")
    var iterator = try FileMessages(customer: nil, accelerometer: folder + "/a", stepTrainer: nil)
      .makeIterator()
    try FileManager.default.removeItem(atPath: second)
    #expect(iterator.next()?.payload == Array("1".utf8))
    #expect(iterator.next() == nil)
    #expect(iterator.error == FileError(path: second, errno: ENOENT))
  }
}

extension OutgoingMessage: Equatable {
  public static func == (one: Self, other: Self) -> Bool {
    one.topic == other.topic && one.payload == other.payload && one.records == other.records
  }
}
