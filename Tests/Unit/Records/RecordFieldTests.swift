import Records
import Testing
import TestSupport

@Suite struct RecordFieldTests {
  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  @Test(arguments: [
    #"{"user":"u@x","timestamp":5,"x":1,"y":2,"z":3}"#,
    #"{"USER":"u@x","TIMESTAMP":5,"X":1,"Y":2,"Z":3}"#,
    #"{"z":3,"y":2,"x":1,"timeStamp":5,"User":"u@x"}"#,
    #"{"\u0075ser":"u@x","time\u0053tamp":5,"\u0078":1,"y":2,"z":3}"#,
    #"{"a":{"user":"no"},"user":"u@x","timestamp":5,"b":[],"x":1,"y":2,"z":3,"users":1,"use":2}"#,
    #"{ "user" : "u\u0040x" , "timestamp" : 5 , "x" : 1 , "y" : 2 , "z" : 3 }"#,
  ])
  func `Keys match in any case, any order and any spelling`(json: String) {
    let record = parse(json, .accelerometer).first
    #expect(record?.problem == nil)
    #expect(record.map { text($0.identity) } == "u@x")
    #expect(record?.timeMs == 5)
    #expect(record?.numbers == ["1", "2", "3"])
  }

  @Test func `Keys match in ASCII only`() {
    // The Kelvin sign and the long s fold to k and s in Unicode.
    let record = parse(#"{"u\#u{17F}er":"u","timestamp":5,"x":1,"y":2,"z":3}"#, .accelerometer).first
    #expect(record?.problem == "user is missing")
  }

  @Test(arguments: [
    "1.0", "-0", "-0.0", "1e2", "1E+02", "0.1000000000000000055511151231257827", "4.9e-324", "1e-999",
    "0.30000000000000004", "-179769313486231570000000000000000000000", String(repeating: "7", count: 255),
  ])
  func `Coordinates keep the text they came as`(number: String) {
    let record = parse(
      #"{"user":"u","timestamp":1,"x":\#(number) ,"y":\#(number),"z":\#(number)}"#, .accelerometer)
    #expect(record.first?.numbers == [number, number, number])
  }

  @Test(arguments: [
    (#""plain@x""#, "plain@x"), (#""q\"uote\\@x""#, "q\"uote\\@x"), (#""\u00fc@x""#, "ü@x"),
    (#""ü@x""#, "ü@x"),
    (#""\ud83d\ude00""#, "😀"), (#""😀""#, "😀"), (#""a\/b\n""#, "a/b\n"), (#""\u0000""#, "\0"), (#"" ""#, " "),
  ])
  func `Identities are compared by their bytes after unescaping`(json: String, identity: String) {
    let record = parse(
      #"{"sensorReadingTime":1,"serialNumber":\#(json),"distanceFromObject":2}"#, .stepTrainer)
    #expect(record.first.map { text($0.identity) } == identity)
  }

  @Test(arguments: [Int64.min, .min + 1, -1, 0, 1, .max - 1, .max])
  func `Integers use all of their 64 bits`(value: Int64) {
    let record = parse(
      #"{"sensorReadingTime":\#(value),"serialNumber":"s","distanceFromObject":\#(value)}"#, .stepTrainer)
    #expect(record.first?.timeMs == value)
    #expect(record.first?.distance == value)
  }

  @Test func `A customer's columns keep the text they came as`() {
    let json = """
      {"phone": 5.50, "birthDay":"1990-01-01" ,"email":"a\\u0040x","serialnumber":"s","lastUpdateDate":3,
      "registrationDate":null,"shareWithResearchAsOfDate":4,"customerName":"A \\"B\\""}
      """
    let customer = parse(json, .customer).first?.customer
    #expect(
      customer?.columns == [
        #""a\u0040x""#, #""s""#, "3", nil, "4", nil, nil, #""A \"B\"""#, "5.50", #""1990-01-01""#,
      ])
    #expect(customer?.lastUpdateMs == 3)
    #expect(customer?.registrationMs == nil)
    #expect(customer?.researchMs == 4)
    #expect(customer.map { text($0.serialNumber) } == "s")
  }

  @Test(arguments: [
    (#"{"serialNumber":"s"}"#, "email is missing"), (#"{"email":""}"#, "email is empty"),
    (#"{"email":null}"#, "email is not a string"),
    (#"{"email":"a","serialNumber":1}"#, "serialNumber is not a string"),
    (#"{"email":"a","lastUpdateDate":"2020"}"#, "lastUpdateDate is not an integer of 64 bits"),
    (
      #"{"email":"a","shareWithResearchAsOfDate":1.5}"#,
      "shareWithResearchAsOfDate is not an integer of 64 bits"
    ),
    (
      #"{"email":"a","shareWithFriendsAsOfDate":true}"#,
      "shareWithFriendsAsOfDate is not an integer of 64 bits"
    ),
    (#"{"email":"a","phone":[1]}"#, "phone is neither a string nor a finite number"),
    (#"{"email":"a","birthDay":1e999}"#, "birthDay is neither a string nor a finite number"),
    (#"{"email":"a","customerName":"\ud800"}"#, "not JSON"),
    (#"{"email":"a","serialNumber":null,"serialNumber":"s"}"#, "serialNumber is there twice"),
  ])
  func `A customer record with a bad field is refused by that field's name`(json: String, problem: String) {
    #expect(parse(json, .customer).map(\.problem) == [problem])
  }

  @Test func `Absent, null and empty serial numbers are none`() {
    for json in [
      #"{"email":"a"}"#, #"{"email":"a","serialNumber":null}"#, #"{"email":"a","serialNumber":""}"#,
    ] {
      #expect(parse(json, .customer).first?.customer?.serialNumber == [])
    }
  }

  private func published(_ payload: String, topic: String, kind: RecordKind, filter: String) throws
    -> [ParsedRecord]
  {
    let other = try TopicFilter("other", kind: .accelerometer)
    let filter = try TopicFilter(filter, kind: kind)
    let router =
      kind == .customer
      ? TopicRouter(customer: filter, accelerometer: other, stepTrainer: other)
      : TopicRouter(customer: other, accelerometer: other, stepTrainer: filter)
    let topic = PaddedText(Array(topic.utf8))
    let route = router.route(topic.bytes)
    #expect(route.kind == kind)
    defer { withExtendedLifetime(topic) {} }
    return parse(payload: Array(payload.utf8), kind, route: route)
  }

  @Test func `A level of the topic that contradicts the payload refuses the record alone`() throws {
    let payload = """
      {"sensorReadingTime":1,"serialNumber":"s1","distanceFromObject":2}
      {"sensorReadingTime":1,"serialNumber":"s2","distanceFromObject":2}
      oops
      """
    let records = try published(payload, topic: "st/s1", kind: .stepTrainer, filter: "st/{serialNumber}")
    #expect(
      records.map(\.problem) == [
        nil, "the topic names another identity than the payload", "not a JSON object",
      ])
    #expect(records.map(\.verdict) == [nil, .identityMismatch, .malformed])
  }

  @Test(arguments: [
    ("c/{email}", "c/a", true), ("c/{email}", "c/s", false), ("c/{serialNumber}", "c/s", true),
    ("c/{serialNumber}", "c/a", false), ("c/{serialNumber}", "c/", false), ("c/+", "c/x", true),
  ])
  func `A customer's topic may name the email or the serial number`(
    filter: String, topic: String, isGood: Bool
  ) throws {
    let records = try published(
      #"{"email":"a","serialNumber":"s"}"#, topic: topic, kind: .customer, filter: filter)
    #expect(records.map { $0.problem == nil } == [isGood])
  }
}
