// What the gateway tells the service manager, by a socket that stands for systemd's.

import Foundation
import TestSupport
import Testing

extension RunTests {
  @Suite struct Supervision {
    @Test func `Ready comes when all is subscribed to, and stopping before the end`() async throws {
      let broker = try PrivateBroker()
      let operated = try OperatedGateway(broker)
      let gateway = try await operated.startAndConnect()
      let manager = operated.manager
      try await gateway.eventually("it is ready") { manager.count("READY=1") == 1 }
      #expect(manager.status == "connected to 127.0.0.1:\(broker.port), 0 pairs written")
      #expect(manager.count("STOPPING=1") == 0)
      try await gateway.stop()
      try await gateway.eventually("it told that it stops") { manager.count("STOPPING=1") == 1 }
      let order = manager.messages.flatMap(\.assignments).filter { $0 == "READY=1" || $0 == "STOPPING=1" }
      #expect(order == ["READY=1", "STOPPING=1"])
      #expect(manager.count("WATCHDOG=1") == 0, "nobody asked for signs of life")
    }

    @Test func `Without a broker it is not ready, has the start's time extended, and says why`() async throws
    {
      let broker = try PrivateBroker()
      try broker.stop()
      let operated = try OperatedGateway(broker)
      let gateway = try operated.start()
      let manager = operated.manager
      try await gateway.eventually("the status says what is missing") {
        manager.status?.contains("no connection to the broker at 127.0.0.1:\(broker.port) since 20") == true
          && manager.status?.hasSuffix("Connection refused") == true
      }
      try await gateway.eventually("the start's time is extended again") {
        manager.messages.count { $0["EXTEND_TIMEOUT_USEC"] == "60000000" } >= 2
      }
      #expect(manager.count("READY=1") == 0)
      try broker.start()
      try await gateway.says("; subscribed")
      try await gateway.eventually("it is ready") { manager.count("READY=1") == 1 }
      try broker.restart()
      try await gateway.says("; subscribed", times: 2)
      try await gateway.stop()
      #expect(manager.count("READY=1") == 1)
    }

    @Test func `The watchdog is fed while nothing happens and while the broker is away`() async throws {
      let broker = try PrivateBroker()
      let operated = try OperatedGateway(broker)
      operated.environment["WATCHDOG_USEC"] = "400000"
      let gateway = try await operated.startAndConnect()
      let manager = operated.manager
      for isAway in [false, true] {
        if isAway { try broker.stop() }
        let fed = manager.count("WATCHDOG=1")
        try await gateway.eventually("it is fed", within: .seconds(10)) {
          manager.count("WATCHDOG=1") >= fed + 10
        }
      }
      try await gateway.stop()
    }

    @Test func `The watchdog of another process is not fed`() async throws {
      let operated = try OperatedGateway(try PrivateBroker())
      operated.environment["WATCHDOG_USEC"] = "40000"
      operated.environment["WATCHDOG_PID"] = "1"
      let gateway = try await operated.startAndConnect()
      try await gateway.eventually("it is ready") { operated.manager.count("READY=1") == 1 }
      try await gateway.stop()
      #expect(operated.manager.count("WATCHDOG=1") == 0)
    }

    @Test func `A manager that has gone away holds up nothing`() async throws {
      let broker = try PrivateBroker()
      let operated = try OperatedGateway(broker)
      operated.environment["WATCHDOG_USEC"] = "40000"
      let gateway = try await operated.startAndConnect()
      try FileManager.default.removeItem(atPath: operated.manager.name)
      try publish("stedi/accelerometer/a", "nonsense", to: broker)
      try await gateway.receives(1)
      try await gateway.stop()
    }
  }
}
