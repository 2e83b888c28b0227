import Foundation
import Pipeline
import Records
import TestSupport
import Testing

/// The exact bytes of each table's rows.
@Suite struct EngineRowsTests {
  private func run(_ change: (inout EngineSettings) -> Void = { _ in }, _ messages: Message...) throws
    -> PipelineRun
  {
    var settings = EngineSettings()
    change(&settings)
    let run = try PipelineRun(settings)
    try run.handle(messages)
    return run
  }

  private func text(_ table: Table, _ run: PipelineRun) throws -> String {
    String(decoding: try run.bytes(of: table), as: UTF8.self)
  }

  private let customer = Message(
    .customer,
    """
    {"phone":"555","EMAIL":"a\\"\\u00fc@x","serialnumber":"s\\\\1","customername":"A  B","birthDay":19900101,
     "lastUpdateDate":5,"registrationDate":4,"shareWithResearchAsOfDate":100,"shareWithPublicAsOfDate":null,
     "shareWithFriendsAsOfDate":0,"other":[1]}
    """, arrivalMs: 50)
  private let accelerometer = Message(
    .accelerometer, #"{"z":0.30000000000000004,"timeStamp":1000,"user":"a\"ü@x","x":1.0,"y":-1E+2}"#,
    arrivalMs: 1000)
  private let stepTrainer = Message(
    .stepTrainer, #"{"sensorReadingTime":1100,"serialNumber":"s\\1","distanceFromObject":-7}"#,
    arrivalMs: 1001)

  @Test func `Rows have the contract's columns, in its order and spelling, with values as they came`() throws
  {
    let run = try run({ _ in }, customer, accelerometer, stepTrainer)
    let customerRow =
      #"{"email":"a\"\u00fc@x","serialNumber":"s\\1","lastUpdateDate":5,"registrationDate":4,"#
      + #""shareWithResearchAsOfDate":100,"shareWithFriendsAsOfDate":0,"customerName":"A  B","phone":"555","#
      + #""birthDay":19900101}"# + "\n"
    #expect(try text(.customerTrusted, run) == customerRow)
    #expect(try text(.customersCurated, run) == customerRow)
    let readings = (
      #""user":"a\"ü@x","timestamp":1000,"x":1.0,"y":-1E+2,"z":0.30000000000000004}"#,
      #"{"sensorReadingTime":1100,"serialNumber":"s\\1","distanceFromObject":-7"#
    )
    #expect(try text(.accelerometerTrusted, run) == "{\(readings.0)\n")
    #expect(try text(.stepTrainerTrusted, run) == "\(readings.1)}\n")
    #expect(try text(.machineLearningCurated, run) == "\(readings.1),\(readings.0)\n")
    #expect(try text(.rejected, run) == "")
    #expect(run.engine.tables.rowCounts[.machineLearningCurated] == 1)
    #expect(
      run.tables == [
        .customerTrusted, .accelerometerTrusted, .stepTrainerTrusted, .customersCurated,
        .machineLearningCurated, .rejected,
      ])
  }

  @Test func `Landing tables hold each well-formed record as it came, on one line`() throws {
    let refused = Message(.accelerometer, #" {"user":"stranger","timestamp":1,"x":1,"y":2,"z":3 } "#)
    let run = try run(
      { $0.landing = true }, customer, accelerometer, refused, stepTrainer, Message(.stepTrainer, "oops"))
    let landed = String(decoding: customer.payload, as: UTF8.self).replacing("\n ", with: "")
    #expect(try text(.customerLanding, run) == landed + "\n")
    #expect(
      try text(.accelerometerLanding, run) == String(decoding: accelerometer.payload, as: UTF8.self)
        + "\n{\"user\":\"stranger\",\"timestamp\":1,\"x\":1,\"y\":2,\"z\":3 }\n")
    #expect(try run.bytes(of: .stepTrainerLanding) == stepTrainer.payload + [0x0A])
  }

  @Test func `Landing rows of an array are its records, whatever follows it`() throws {
    let payload = #"[ {"sensorReadingTime":1,"serialNumber":"s","distanceFromObject":2} ] x]"#
    let run = try run({ $0.landing = true }, Message(.stepTrainer, payload))
    #expect(
      try text(.stepTrainerLanding, run)
        == #"{"sensorReadingTime":1,"serialNumber":"s","distanceFromObject":2}"# + "\n")
  }

  @Test func `A refused record is shown in the quarantine with its reason`() throws {
    let run = try run(
      { _ in },
      Message(.accelerometer, "{\"user\":\"\t\"}", arrivalMs: 7, topic: "a/\"ü\""),
      Message(.unknown, "x", arrivalMs: -8, topic: ""), Message(.customer, "", arrivalMs: 9))
    #expect(
      try text(.rejected, run) == """
        {"receivedAt":7,"topic":"a/\\"ü\\"","reason":"malformed","detail":"not JSON","payload":"{\\"user\\":\\"\\t\\"}"}
        {"receivedAt":-8,"topic":"","reason":"malformed","detail":"the topic matches no topic filter","payload":"x"}
        {"receivedAt":9,"topic":"t","reason":"malformed","detail":"no record in the payload","payload":""}

        """)
  }

  @Test func `A reading ahead of its arrival is refused as future, but not where consent refuses it`() throws
  {
    let run = try run(
      { $0.futureSkewMs = 100 }, customer,
      Message(.accelerometer, #"{"user":"a\"ü@x","timestamp":151,"x":1,"y":2,"z":3}"#, arrivalMs: 50),
      Message(.accelerometer, #"{"user":"stranger","timestamp":9999,"x":1,"y":2,"z":3}"#, arrivalMs: 50),
      Message(.accelerometer, #"{"user":"a\"ü@x","timestamp":150,"x":1,"y":2,"z":3}"#, arrivalMs: 50))
    #expect(run.verdicts["accelerometer"] == ["future": 1, "unknown_customer": 1, "trusted": 1])
    let rows = try run.rows(of: .rejected)
    #expect(rows.count == 1)
    #expect(rows.first?.contains(#""reason":"future""#) == true)
  }

  @Test func `What consent refuses leaves no trace in any table`() throws {
    let refusals = [
      Message(.accelerometer, #"{"user":"stranger","timestamp":1,"x":1,"y":2,"z":3}"#),
      Message(.accelerometer, #"{"user":"a\"ü@x","timestamp":99,"x":1,"y":2,"z":3}"#),
      Message(.stepTrainer, #"{"sensorReadingTime":99,"serialNumber":"s\\1","distanceFromObject":1}"#),
      Message(.stepTrainer, #"{"sensorReadingTime":1,"serialNumber":"unknown","distanceFromObject":1}"#),
      Message(.customer, #"{"email":"n","serialNumber":"s2"}"#),
      Message(.stepTrainer, #"{"sensorReadingTime":1,"serialNumber":"s2","distanceFromObject":1}"#),
      Message(.accelerometer, #"{"user":"n","timestamp":1,"x":1,"y":2,"z":3}"#),
    ]
    let run = try run({ _ in }, customer)
    try run.handle(refusals)
    for table in run.tables where table != .customerTrusted { #expect(try run.bytes(of: table).isEmpty) }
    #expect(run.engine.readingsInState == 0)
    #expect(run.engine.counts.balance)
  }

  // MARK: The quarantine's payload

  private func quarantined(_ payload: [UInt8]) throws -> (text: String?, bytes: [UInt8]?) {
    let run = try run({ _ in }, Message(.unknown, bytes: payload))
    let rows = try run.rows(of: .rejected)
    #expect(rows.count == 1)
    let row = try JSONDecoder().decode([String: Field].self, from: Data((rows.first ?? "").utf8))
    return (
      row["payload"]?.text, row["payloadBase64"]?.text.flatMap { Data(base64Encoded: $0) }.map(Array.init)
    )
  }

  private struct Field: Decodable {
    let text: String?
    init(from decoder: any Decoder) throws { text = try? decoder.singleValueContainer().decode(String.self) }
  }

  @Test(arguments: ["a", "ü", "€", "😀"])
  func `A long payload is cut at 4 KiB, between characters`(character: String) throws {
    for shift in 0..<5 {
      let text = String(repeating: "x", count: shift) + String(repeating: character, count: 5000)
      let shown = try quarantined(Array(text.utf8)).text ?? ""
      #expect(text.utf8.starts(with: shown.utf8))
      #expect((4093...4096).contains(shown.utf8.count))
      #expect(shown.utf8.count + character.utf8.count > 4096)
    }
    let exact = String(repeating: "y", count: 4096)
    #expect(try quarantined(Array(exact.utf8)).text == exact)
  }

  @Test(
    arguments: [
      [0xFF], [0xC3], Array(repeating: 0x80, count: 5000), Array(repeating: 0xFF, count: 5000),
      Array("text ".utf8) + [0xED, 0xA0, 0x80],
      Array(repeating: 0x61, count: 4000) + Array(repeating: 0x80, count: 500),
    ] as [[UInt8]])
  func `A payload that is no UTF-8 is shown in base64`(payload: [UInt8]) throws {
    let shown = try quarantined(payload)
    #expect(shown.text == nil)
    #expect(shown.bytes == Array(payload.prefix(4096)))
  }

  // MARK: Segments

  @Test func `Segments roll on multiples of their age in arrival time`() throws {
    var settings = EngineSettings()
    settings.segmentAgeMs = 1000
    let run = try PipelineRun(settings)
    for arrivalMs: Int64 in [1500, 1999, 2000, 1000, 3500] {
      try run.handle([Message(.unknown, "x", arrivalMs: arrivalMs)])
    }
    #expect(try run.segments(of: .rejected).map(\.count) == [2, 2, 1])
    try run.engine.tables.close()
  }
}
