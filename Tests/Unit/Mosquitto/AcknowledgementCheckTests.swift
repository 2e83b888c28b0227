import Foundation
import TestSupport
import Testing

@testable import Mosquitto

@Suite struct `Acknowledgement check` {
  @Test func `The linked library withholds acknowledgements, shown within a second`() throws {
    let start = Date()
    try AcknowledgementCheck.run()
    #expect(Date().timeIntervalSince(start) < 1)
  }

  @Test func `A library that acknowledges at once fails the check`() {
    let error = #expect(throws: MosquittoError.self) {
      try AcknowledgementCheck.run(withholdingAcknowledgements: false)
    }
    guard case .acknowledgementsNotWithheld = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test(arguments: [true, false])
  func `The running check tells a client that withholds from one that does not`(withholding: Bool) throws {
    let broker = try PrivateBroker()
    let options = ConnectOptions(host: broker.host, port: broker.port, clientID: "reader")
    let reader = try TestClient(options, withholdingAcknowledgements: withholding)
    try reader.connect()
    try reader.subscribe(["t"])
    try reader.client.checkAcknowledgementsWithheld()

    let writer = try TestClient(ConnectOptions(host: broker.host, port: broker.port, clientID: "writer"))
    try writer.connect()
    try writer.publish("t", numbered(3))
    try reader.drive(writing: false) { reader.events.messages.count == 3 }

    if withholding {
      try reader.client.checkAcknowledgementsWithheld()
      #expect(reader.client.wantsWrite)
      reader.client.writeTurn()
      #expect(!reader.client.wantsWrite)
      try reader.client.checkAcknowledgementsWithheld()
    } else {
      #expect(throws: MosquittoError.self) { try reader.client.checkAcknowledgementsWithheld() }
    }
  }
}
