// Scripts that reach every verdict and every table.

import Records

extension PayloadTarget {
  static var seeds: [(name: String, bytes: [UInt8])] {
    let begin = [customer, accelerometer(1_000_000), stepTrainer(1_000_050)]
    return [
      ("nothing", FuzzInput.bytes([], [])),
      ("pair", script(begin)),
      ("landing", script(begin, settings: [0, 0, 1])),
      ("timestamp", script(begin, settings: [1, 1])),
      ("held", script([customer, stepTrainer(1_000_050), accelerometer(1_000_000)])),
      (
        "expired",
        script([customer, stepTrainer(1_000_050), ScriptStep.bytes(.session, "12345678", later: 4)])
      ),
      ("repeats", script(begin + begin)),
      (
        "evicted",
        script(begin + begin.map { step in later(step, 4) } + begin, settings: [0, 0, 0, 1, 1, 0, 1])
      ),
      ("withdrawal", script(begin + [withdrawal, accelerometer(1_000_060)])),
      ("moved", script(begin + [moved, stepTrainer(1_000_060)])),
      ("before", script([customer, accelerometer(0), stepTrainer(0)])),
      ("future", script([customer, accelerometer(9_000_000_000_000), stepTrainer(.max)])),
      (
        "settings",
        script(begin + [ScriptStep.bytes(.settings, "\u{1}\u{1}\u{1}"), accelerometer(1_000_070)])
      ),
      ("lines", script([ScriptStep.bytes(.customerLines, lines)] + begin)),
      ("file", script([ScriptStep.bytes(.customerFile, array)] + begin)),
      ("array", script([ScriptStep.bytes(.customer, array)])),
      ("object over lines", script([ScriptStep.bytes(.accelerometer, objectOverLines)])),
      ("strange", script([ScriptStep.bytes(.strangeTopic, "\u{0}\u{7f}é\"\\\n")])),
      ("refused", script(refused.map { ScriptStep.bytes(.accelerometer, $0) })),
      ("escapes", script([ScriptStep.bytes(.customer, escapes)])),
      ("deep", script([ScriptStep.bytes(.stepTrainer, deep)])),
      ("long", script([ScriptStep.bytes(.accelerometer, long), ScriptStep.bytes(.strangeTopic, long)])),
    ]
  }

  private static func script(_ steps: [[UInt8]], settings: [UInt8] = []) -> [UInt8] {
    FuzzInput.bytes([UInt8(ascii: "}")] + settings, steps)
  }

  private static func later(_ step: [UInt8], _ later: UInt8) -> [UInt8] { step[..<2] + [later] + step[3...] }

  private static let customer = ScriptStep.bytes(
    .customer, customerText(serial: "s", updated: 10, consent: 5))
  private static let withdrawal = ScriptStep.bytes(
    .customer, customerText(serial: "s", updated: 20, consent: 0))
  private static let moved = ScriptStep.bytes(.customer, customerText(serial: "r", updated: 30, consent: 5))

  private static func customerText(serial: String, updated: Int, consent: Int) -> String {
    """
    {"email":"u","serialNumber":"\(serial)","lastUpdateDate":\(updated),"registrationDate":1,\
    "shareWithResearchAsOfDate":\(consent),"shareWithPublicAsOfDate":null,"customerName":"N","phone":1.5e3,\
    "birthDay":"1980-01-01"}
    """
  }

  private static func accelerometer(_ timeMs: Int64) -> [UInt8] {
    ScriptStep.bytes(.accelerometer, #"{"user":"u","timestamp":\#(timeMs),"x":1,"y":-0.5,"z":2e-3}"#)
  }

  private static func stepTrainer(_ timeMs: Int64) -> [UInt8] {
    ScriptStep.bytes(
      .stepTrainer, #"{"sensorReadingTime":\#(timeMs),"serialNumber":"s","distanceFromObject":215}"#)
  }

  private static let lines = "\(customerText(serial: "s", updated: 1, consent: 1))\n\n{\"email\":\n[]\r\n"
  private static let array = "\u{FEFF} [\(customerText(serial: "s", updated: 1, consent: 1)), {}, 1 ,[true]] "
  private static let objectOverLines = "{\"USER\" : \"u\",\n\"timeStamp\":1,\"x\":1,\n\"y\":2,\"z\":3\n}"
  private static let refused = [
    "", " ", "nul", "{}", "{", "[", "[{}", "[,]", "1", #"{"user":1}"#, #"{"user":""}"#,
    #"{"user":"u","USER":"u"}"#,
    #"{"user":"u","timestamp":1.5}"#, #"{"user":"u","timestamp":1,"x":"1"}"#,
  ]
  private static let escapes =
    #"{"email":"a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00","serialNumber":"\u0000","customerName":"\u20ac","phone":"é€😀"}"#
  private static let deep =
    #"{"sensorReadingTime":1,"serialNumber":"s","distanceFromObject":1,"more":"#
    + String(repeating: #"[{"a":"#, count: 31) + "null" + String(repeating: "}]", count: 31) + "}"
  private static let long =
    #"{"user":"u","timestamp":1000000,"x":0."# + String(repeating: "1", count: 253) + #","y":1,"z":1,"pad":""#
    + String(repeating: "é", count: 2_100) + "\"}"
}
