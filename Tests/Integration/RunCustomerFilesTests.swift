// Customer files that change while the gateway runs.

import Foundation
import TestSupport
import Testing

extension RunTests {
  @Suite struct `Customer files` {
    private let ada = Sent.customer("ada@x", "S1", updated: 1, consent: 1)
    private let bob = Sent.customer("bob@x", "S2", updated: 1, consent: 1)

    private func replace(_ path: String, _ lines: String...) throws {
      let text = lines.map { $0 + "\n" }.joined()
      try text.write(toFile: "\(path).new", atomically: false, encoding: .utf8)
      guard rename("\(path).new", path) == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    private func trusted(_ operated: OperatedGateway) throws -> [String] {
      try operated.fixture.rows("trusted/customer_trusted")
    }

    @Test func `A file that is replaced lets its new customers through within seconds`() async throws {
      let broker = try PrivateBroker()
      let operated = try OperatedGateway(broker)
      let file = try operated.fixture.folder.file("c/customers.json", ada + "\n")
      try operated.write(["customers.path": file])
      let gateway = try await operated.startAndConnect()
      try publish("stedi/accelerometer/x", Sent.accelerometer("bob@x", 1), to: broker)
      try await gateway.receives(2)

      try replace(file, ada, bob)
      try await gateway.says("read 2 customer records from \(file)")
      try publish("stedi/accelerometer/x", Sent.accelerometer("bob@x", 2), to: broker)
      try await gateway.receives(5)
      // A line more, written in place.
      let handle = try FileHandle(forWritingTo: URL(filePath: file))
      try handle.seekToEnd()
      try handle.write(contentsOf: Data((Sent.customer("cy@x", "S3", updated: 1, consent: 1) + "\n").utf8))
      try handle.close()
      try await gateway.says("read 3 customer records from \(file)")
      try await gateway.eventually("the third customer") { try trusted(operated).count == 3 }
      try await gateway.stop()

      #expect(try operated.fixture.rows("trusted/accelerometer_trusted").count == 1)
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: "\(operated.fixture.data)/customers").isEmpty)
    }

    @Test func `A broken file changes nothing until it is mended, and says which line is wrong`() async throws
    {
      let broker = try PrivateBroker()
      let operated = try OperatedGateway(broker)
      let file = try operated.fixture.folder.file("c/customers.json", ada + "\n")
      try operated.write(["customers.path": file])
      let gateway = try await operated.startAndConnect()

      try replace(file, bob, "", "secret-of-bob", #"{"serialNumber":"S3"}"#)
      try await gateway.says(
        "customers.path: 2 of 3 records are no customer records, the first at \(file):3: not a JSON object; "
          + "the customers known so far stay as they are")
      try await gateway.eventually("the status says so") {
        operated.manager.status?.hasSuffix("; the customer files cannot be used, the customers before hold")
          == true
      }
      #expect(try gateway.log.count { $0.contains(" error ") } == 1)
      #expect(try !gateway.process.error.contains("secret-of-bob"))
      #expect(try trusted(operated) == [ada])
      #expect(try operated.fixture.rejected().isEmpty)

      try FileManager.default.removeItem(atPath: file)
      try await gateway.says("No such file or directory; the customers known so far stay as they are")
      try replace(file, ada, bob)
      try await gateway.says("read 2 customer records from \(file)")
      try await gateway.eventually("the second customer") { try trusted(operated) == [ada, bob] }
      try await gateway.eventually("the status is well again") {
        operated.manager.status?.hasSuffix(" written") == true
      }
      try await gateway.stop()
    }

    @Test func `In a watched folder a new file counts, and one over a symbolic link when its target changes`()
      async throws
    {
      let operated = try OperatedGateway(try PrivateBroker())
      let folder = operated.fixture.folder
      _ = try folder.file("real/1/a.json", ada + "\n")
      // As Kubernetes mounts files: the link in between is replaced.
      try FileManager.default.createSymbolicLink(
        atPath: "\(folder.path)/real/now", withDestinationPath: "1")
      try FileManager.default.createSymbolicLink(
        atPath: "\(folder.path)/watched", withDestinationPath: "real/now")
      try operated.write(["customers.path": "\(folder.path)/watched"])
      let gateway = try await operated.startAndConnect()
      _ = try folder.file("real/1/b.json", bob + "\n")
      try await gateway.says("read 2 customer records")

      let cy = Sent.customer("cy@x", "S3", updated: 1, consent: 1)
      _ = try folder.file("real/2/c.json", cy + "\n")
      try FileManager.default.createSymbolicLink(
        atPath: "\(folder.path)/real/next", withDestinationPath: "2")
      #expect(rename("\(folder.path)/real/next", "\(folder.path)/real/now") == 0)
      try await gateway.says("read 1 customer record ")
      try await gateway.eventually("the third customer") { try trusted(operated) == [ada, bob, cy] }
      try await gateway.stop()
    }

    @Test func `A path that comes with a reload, and whose folder comes later, is read when it is there`()
      async throws
    {
      let operated = try OperatedGateway(try PrivateBroker())
      let folder = operated.fixture.folder
      let file = try folder.file("a/b/customers.json", ada + "\n")
      let gateway = try await operated.startAndConnect()
      try operated.write(["customers.path": file])
      try await operated.reload(gateway)
      try await gateway.says("read 1 customer record from \(file)")
      // Not changed, and yet read again: who asks for it gets it.
      try await operated.reload(gateway)
      try await gateway.says("read 1 customer record from \(file)", times: 2)

      try FileManager.default.removeItem(atPath: "\(folder.path)/a")
      try await gateway.says("No such file or directory; the customers known so far stay as they are")
      _ = try folder.file("a/b/customers.json", ada + "\n" + bob + "\n")
      try await gateway.says("read 2 customer records from \(file)")
      try await gateway.eventually("the second customer") { try trusted(operated) == [ada, bob] }
      try await gateway.stop()
    }

    @Test func `While a large file is read, readings pass, and their acknowledgements do not wait`()
      async throws
    {
      let broker = try PrivateBroker()
      let operated = try OperatedGateway(broker)
      let file = try operated.fixture.folder.file("c/customers.json", ada + "\n")
      try operated.write(["customers.path": file])
      let gateway = try await operated.startAndConnect()
      let customers = 60_000
      let text = (0..<customers).map {
        Sent.customer("c\($0)@x", "S\($0 % 30)", updated: 1, consent: 1) + "\n"
      }
      try replace(file, text.joined())
      var longest = Duration.zero
      var sent = 0
      while try !gateway.log.contains(where: { $0.contains("read \(customers) customer records") }) {
        let start = ContinuousClock.now
        try publish("stedi/accelerometer/x", Sent.accelerometer("ada@x", sent + 1), to: broker)
        longest = max(longest, ContinuousClock.now - start)
        sent += 1
        try await Task.sleep(for: .milliseconds(20))
      }
      try await gateway.receives(1 + customers + sent)
      #expect(longest < .seconds(2))
      try await gateway.stop()
      #expect(try trusted(operated).count == customers + 1)
      #expect(try operated.fixture.rows("trusted/accelerometer_trusted").count == sent)
    }

    // Two pieces of 256 KiB wait for the ingest thread, and it has one. Seen in a debug
    // build: 9 MB more than before; with a queue without bound 195 MB.
    @Test
    func `A file that is larger than the process may grow is read in pieces, and memory stays where it was`()
      async throws
    {
      let broker = try PrivateBroker()
      let operated = try OperatedGateway(broker)
      let file = try operated.fixture.folder.file("c/customers.json", ada + "\n")
      try operated.write(["customers.path": file])
      let gateway = try await operated.startAndConnect()
      let before = try gateway.process.peakMemoryBytes()

      // The same record again and again, so that the index holds no more than it did.
      let line = ada.dropLast() + #","note":"\#(String(repeating: "x", count: 2_000))"}"# + "\n"
      let records = 60_000
      try replace(file, String(repeating: String(line), count: records))
      try await gateway.says("read \(records) customer records from \(file)")
      try await gateway.receives(1 + records)

      let grown = try gateway.process.peakMemoryBytes() - before
      #expect(grown < 30_000_000, "by \(grown) bytes")
      try await gateway.stop()
    }
  }
}
