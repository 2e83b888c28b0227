import Records
import Testing
import TestSupport

private let good = #"{"user":"u","timestamp":1,"x":1,"y":2,"z":3}"#

/// A payload of accelerometer records and what becomes of each: nil is a good record.
struct PayloadCase: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let payload: [UInt8]
  let problems: [String?]

  init(_ name: String, _ payload: String, _ problems: String?...) {
    self.init(name, bytes: Array(payload.utf8), problems)
  }

  init(_ name: String, bytes: [UInt8], _ problems: [String?]) {
    testDescription = name
    payload = bytes
    self.problems = problems
  }
}

private func bytes(_ before: String, _ middle: [UInt8], _ after: String) -> [UInt8] {
  Array(before.utf8) + middle + Array(after.utf8)
}

private let badTexts: [PayloadCase] = [
  PayloadCase("nothing", "", "no record in the payload"),
  PayloadCase("white space", " \r\n\t ", "no record in the payload"),
  PayloadCase("a byte order mark alone", "\u{FEFF}", "no record in the payload"),
  PayloadCase("words", "hello", "not a JSON object"),
  PayloadCase("a string", "\"user\"", "not a JSON object"),
  PayloadCase("a number", "12", "not a JSON object"),
  PayloadCase("null", "null", "not a JSON object"),
  PayloadCase("a truncated object", String(good.dropLast()), "not JSON"),
  PayloadCase("truncated in a string", #"{"user":"u"#, "not JSON"),
  PayloadCase("truncated in a key", #"{"us"#, "not JSON"),
  PayloadCase("an opening brace", "{", "not JSON"),
  PayloadCase("a closing brace", "}", "not a JSON object"),
  PayloadCase("a comma too much", #"{"user":"u","timestamp":1,"x":1,"y":2,"z":3,}"#, "not JSON"),
  PayloadCase("a comma too few", #"{"user":"u" "timestamp":1,"x":1,"y":2,"z":3}"#, "not JSON"),
  PayloadCase("a colon too few", #"{"user" "u","timestamp":1,"x":1,"y":2,"z":3}"#, "not JSON"),
  PayloadCase(
    "a colon behind a value", #"{"timestamp":1,"x":1,"y":2,"z":3,"user":"u":5}}"#, "not JSON"),
  PayloadCase(
    "a number behind the brace", #"{"user":"u","timestamp":1,"x":1,"y":2,"z":3}5}"#, "text behind the record"),
  PayloadCase("single quotes", "{'user':'u','timestamp':1,'x':1,'y':2,'z':3}", "not JSON"),
  PayloadCase("a comment", "/* */" + good, "not a JSON object"),
  PayloadCase("text behind", good + " x", "not JSON"),
  PayloadCase("two objects on one line", good + good, "text behind the record"),
  PayloadCase("two objects with a comma", good + "," + good, "text behind the record"),
  PayloadCase("a NUL behind", good + "\0", "not JSON"),
  PayloadCase("a NUL before", "\0" + good, "not a JSON object"),
  PayloadCase("a NUL in a string", good.replacing("\"u\"", with: "\"u\0\""), "not JSON"),
  PayloadCase("a line feed in a string", good.replacing("\"u\"", with: "\"u\u{1}\""), "not JSON"),
  PayloadCase("a tab in a string", good.replacing("\"u\"", with: "\"u\t\""), "not JSON"),
  PayloadCase("a lone surrogate", good.replacing("\"u\"", with: #""\ud800""#), "not JSON"),
  PayloadCase("half a surrogate pair", good.replacing("\"u\"", with: #""\ud800\u0041""#), "not JSON"),
  PayloadCase("an unknown escape", good.replacing("\"u\"", with: #""\q""#), "not JSON"),
  PayloadCase("a bad key escape", #"{"\u00zz":1}"#, "not JSON"),
  PayloadCase(
    "a lone 0xFF", bytes: bytes(#"{"user":""#, [0xFF], #"","timestamp":1,"x":1,"y":2,"z":3}"#), ["not JSON"]),
  PayloadCase(
    "half a character", bytes: bytes(#"{"user":""#, [0xC3], #"","timestamp":1,"x":1,"y":2,"z":3}"#),
    ["not JSON"]),
  PayloadCase(
    "an overlong slash", bytes: bytes(#"{"user":""#, [0xC0, 0xAF], #"","timestamp":1,"x":1,"y":2,"z":3}"#),
    ["not JSON"]),
  PayloadCase(
    "a surrogate in UTF-8",
    bytes: bytes(#"{"user":""#, [0xED, 0xA0, 0x80], #"","timestamp":1,"x":1,"y":2,"z":3}"#), ["not JSON"]),
  PayloadCase("UTF-16", bytes: [0xFF, 0xFE] + Array(good.utf16).flatMap { [UInt8($0), 0] }, ["not JSON"]),
  PayloadCase("random bytes", bytes: [0x80, 0x00, 0x7B, 0xFE, 0x22], ["not JSON"]),
]

private let badValues: [PayloadCase] = [
  PayloadCase("an empty object", "{}", "user is missing"),
  PayloadCase("no time", #"{"user":"u","x":1,"y":2,"z":3}"#, "timestamp is missing"),
  PayloadCase("no z", #"{"user":"u","timestamp":1,"x":1,"y":2}"#, "z is missing"),
  PayloadCase("user null", good.replacing("\"u\"", with: "null"), "user is not a string"),
  PayloadCase("user a number", good.replacing("\"u\"", with: "5"), "user is not a string"),
  PayloadCase("user an array", good.replacing("\"u\"", with: "[\"u\"]"), "user is not a string"),
  PayloadCase("user empty", good.replacing("\"u\"", with: "\"\""), "user is empty"),
  PayloadCase(
    "time null", good.replacing(":1,\"x", with: ":null,\"x"), "timestamp is not an integer of 64 bits"),
  PayloadCase(
    "time in quotes", good.replacing(":1,\"x", with: ":\"1\",\"x"), "timestamp is not an integer of 64 bits"),
  PayloadCase(
    "time with a fraction", good.replacing(":1,\"x", with: ":1.0,\"x"),
    "timestamp is not an integer of 64 bits"),
  PayloadCase(
    "time with an exponent", good.replacing(":1,\"x", with: ":1e3,\"x"),
    "timestamp is not an integer of 64 bits"),
  PayloadCase(
    "time with a leading zero", good.replacing(":1,\"x", with: ":01,\"x"),
    "timestamp is not an integer of 64 bits"),
  PayloadCase(
    "time with a plus", good.replacing(":1,\"x", with: ":+1,\"x"), "timestamp is not an integer of 64 bits"),
  PayloadCase(
    "time of 65 bits", good.replacing(":1,\"x", with: ":9223372036854775808,\"x"),
    "timestamp is not an integer of 64 bits"),
  PayloadCase(
    "time below 64 bits", good.replacing(":1,\"x", with: ":-9223372036854775809,\"x"),
    "timestamp is not an integer of 64 bits"),
  PayloadCase(
    "time of 100 digits", good.replacing(":1,\"x", with: ":\(String(repeating: "9", count: 100)),\"x"),
    "timestamp is not an integer of 64 bits"),
  PayloadCase(
    "time true", good.replacing(":1,\"x", with: ":true,\"x"), "timestamp is not an integer of 64 bits"),
  PayloadCase("x NaN", good.replacing("\"x\":1", with: "\"x\":NaN"), "x is not a finite number"),
  PayloadCase("x Infinity", good.replacing("\"x\":1", with: "\"x\":-Infinity"), "x is not a finite number"),
  PayloadCase("x 1e999", good.replacing("\"x\":1", with: "\"x\":1e999"), "x is not a finite number"),
  PayloadCase("x in quotes", good.replacing("\"x\":1", with: "\"x\":\"1\""), "x is not a finite number"),
  PayloadCase("x null", good.replacing("\"x\":1", with: "\"x\":null"), "x is not a finite number"),
  PayloadCase("x a dot", good.replacing("\"x\":1", with: "\"x\":1."), "x is not a finite number"),
  PayloadCase("x a hexadecimal", good.replacing("\"x\":1", with: "\"x\":0x10"), "x is not a finite number"),
  PayloadCase(
    "x too long", good.replacing("\"x\":1", with: "\"x\":0.\(String(repeating: "1", count: 300))"),
    "x is a number of more than 255 characters"),
  PayloadCase("a key twice", good.replacing("\"x\":1", with: "\"x\":1,\"x\":1"), "x is there twice"),
  PayloadCase(
    "a key twice in another case", good.replacing("\"x\":1", with: "\"x\":1,\"X\":1"), "x is there twice"),
  PayloadCase(
    "a key twice, once with an escape", good.replacing("\"x\":1", with: #""x":1,"\u0058":1"#),
    "x is there twice"),
  PayloadCase(
    "nested without end",
    good.replacing("{\"user", with: "{\"a\":\(String(repeating: "[", count: 500)),\"user"),
    "nested too deeply"),
  PayloadCase(
    "nested too deeply",
    good.replacing(
      "{\"user",
      with: "{\"a\":\(String(repeating: "[", count: 100))\(String(repeating: "]", count: 100)),\"user"),
    "nested too deeply"),
  PayloadCase(
    "objects nested too deeply",
    good.replacing(
      "{\"user",
      with: "{\"a\":\(String(repeating: "{\"b\":", count: 100))1\(String(repeating: "}", count: 100)),\"user"),
    "nested too deeply"),
  PayloadCase(
    "a bad value of an unknown key", good.replacing("{\"user", with: "{\"a\":tru,\"user"), "not JSON"),
  PayloadCase(
    "a bad string of an unknown key", good.replacing("{\"user", with: "{\"a\":\"\\x\",\"user"), "not JSON"),
]

private let mixtures: [PayloadCase] = [
  PayloadCase("one object", good, nil),
  PayloadCase("white space around", " \r\n" + good + "\n\n ", nil),
  PayloadCase("a byte order mark", "\u{FEFF}" + good, nil),
  PayloadCase("pretty-printed", good.replacing(",", with: ",\n  "), nil),
  PayloadCase("pretty-printed and bad", "{\n  \"user\": 5\n}", "user is not a string"),
  PayloadCase("lines", good + "\n" + good + "\n", nil, nil),
  PayloadCase("lines that end in CRLF", good + "\r\n" + good + "\r\n", nil, nil),
  PayloadCase("blank lines", "\n\n" + good + "\n \n\r\n" + good, nil, nil),
  PayloadCase("a bad first line", "oops\n" + good + "\n" + good, "not a JSON object", nil, nil),
  PayloadCase("a bad line in the middle", good + "\n{\"user\n" + good, nil, "not JSON", nil),
  PayloadCase("a truncated last line", good + "\n" + good.dropLast(), nil, "not JSON"),
  PayloadCase(
    "a wrong type in the middle", good + "\n{\"user\":1}\n" + good, nil, "user is not a string", nil),
  PayloadCase(
    "two objects on one of the lines", good + "\n" + good + good + "\n" + good, nil, "text behind the record",
    nil),
  PayloadCase("an array on one of the lines", good + "\n[]\n" + good, nil, "not a JSON object", nil),
  PayloadCase(
    "a line with half a character", bytes: bytes(good + "\n", [0xC3], "\n" + good), [nil, "not JSON", nil]),
  PayloadCase("only bad lines", "oops\n{\noops", "not JSON"),
  PayloadCase("an array", "[\(good),\(good)]", nil, nil),
  PayloadCase("an array over lines", "[\n \(good),\n \(good)\n]\n", nil, nil),
  PayloadCase("an empty array", " [ ] ", "no record in the payload"),
  PayloadCase(
    "an array with bad elements", "[1,\(good),null,\"{\",[\(good)],{},\(good)]", "not a JSON object", nil,
    "not a JSON object", "not a JSON object", "not a JSON object", "user is missing", nil),
  PayloadCase(
    "an array with a wrong type inside", "[{\"user\":[1,{}]},\(good)]", "user is not a string", nil),
  PayloadCase("an array without its end", "[\(good),\(good)", "not JSON"),
  PayloadCase("an array and a comma", "[\(good),]", nil, "not JSON"),
  PayloadCase("an array and more", "[\(good)] x]", nil, "text behind the record"),
  PayloadCase("damage in an array", "[\(good),{\"a\":tru},\(good)]", nil, "not JSON"),
  PayloadCase("an array of arrays without end", String(repeating: "[", count: 5000), "not JSON"),
]

@Suite struct RecordParserTests {
  @Test(arguments: badTexts + badValues + mixtures)
  func `Every record is judged alone, with the reason why it is none`(payload: PayloadCase) {
    let records = parse(payload: payload.payload, .accelerometer)
    #expect(records.map(\.problem) == payload.problems)
    for record in records where record.problem == nil {
      #expect(record.identity == Array("u".utf8) && record.timeMs == 1 && record.numbers == ["1", "2", "3"])
    }
  }

  @Test func `The text of a refused record is what the quarantine needs to show it`() {
    let lines = parse("\(good)\n {\"oops\r\n\(good)", .accelerometer)
    #expect(lines.map { String(decoding: $0.text, as: UTF8.self) } == [good, "{\"oops", good])
    let array = parse("[ \(good) , {\"user\" : 5 } ,7] ] ", .accelerometer)
    #expect(
      array.map { String(decoding: $0.text, as: UTF8.self) } == [
        good, "{\"user\" : 5 }", "7", "[ \(good) , {\"user\" : 5 } ,7] ]",
      ])
  }

  @Test func `A message on a topic without a rule is refused unread`() {
    let records = parse(good, .unknown)
    #expect(records.map(\.problem) == ["the topic matches no topic filter"])
    #expect(records.map(\.verdict) == [.malformed])
  }

  @Test func `A batch keeps the records of several messages apart`() {
    let (first, second) = (PaddedText(Array("\(good)\n\(good)".utf8)), PaddedText(Array("{}".utf8)))
    let topic = PaddedText(Array("t".utf8))
    let batch = RecordBatch()
    let parser = RecordParser()
    parser.parse(
      payload: first.bytes, route: TopicRoute(kind: .accelerometer), arrivalMs: 7, topic: topic.bytes,
      into: batch)
    parser.parse(
      payload: second.bytes, route: TopicRoute(kind: .stepTrainer), arrivalMs: 8, topic: topic.bytes,
      into: batch)
    parser.refuse(
      second.bytes, .oversized, kind: .customer, arrivalMs: 9, topic: topic.bytes, into: batch)
    #expect(batch.runs.map(\.first) == [0, 2, 3])
    #expect(batch.runs.map(\.count) == [2, 1, 1])
    #expect(batch.runs.map(\.kind) == [.accelerometer, .stepTrainer, .customer])
    #expect(batch.runs.map(\.arrivalMs) == [7, 8, 9])
    #expect(batch.records.map(\.problem) == [0, 0, Problem.missing.rawValue, Problem.oversized.rawValue])
    batch.clear()
    #expect(batch.count == 0 && batch.runs.isEmpty)
  }

  @Test(arguments: [
    ("{}", true), (" [1, 2] ", true), ("\u{FEFF}{\"a\":[null,true,1.5,\"x\"]}", true), ("5", false),
    ("", false),
    ("{} {}", false), ("{", false), ("{\"a\":tru}", false), ("[", false),
  ])
  func `A text is complete if it is one object or array with nothing behind it`(
    text: String, isComplete: Bool
  ) {
    let text = PaddedText(Array(text.utf8))
    #expect(RecordParser().isComplete(text.bytes) == isComplete)
    withExtendedLifetime(text) {}
  }
}
