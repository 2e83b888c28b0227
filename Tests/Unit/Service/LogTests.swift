import Foundation
import Logging
import Testing

@testable import Service

@Suite struct LogLimitTests {
  @Test func `Ten of a kind pass in a minute, the others are counted when it is over`() {
    var limit = LogLimit()
    for number in 0..<35 {
      let isAdmitted = limit.admits("lost \(number) of 99", nowMs: number)
      #expect(isAdmitted == (number < 10))
    }
    let isOtherAdmitted = limit.admits("something else", nowMs: 35)
    #expect(isOtherAdmitted)
    let tooEarly = limit.takeLeftOut(nowMs: 59_999)
    #expect(tooEarly.isEmpty)
    let leftOut = limit.takeLeftOut(nowMs: 60_000)
    #expect(leftOut == ["25 more like it were left out: lost 34 of 99"])
    let again = limit.takeLeftOut(nowMs: 60_000)
    #expect(again.isEmpty)
    let isAdmittedAgain = limit.admits("lost 36 of 99", nowMs: 60_001)
    #expect(isAdmittedAgain)
  }

  @Test func `However many kinds there are, no more than a few are remembered`() {
    var limit = LogLimit()
    let kinds = (0..<1_000).map { number in
      String("\(number)".map { $0.wholeNumberValue.map { "abcdefghij".dropFirst($0).first ?? "k" } ?? "k" })
    }
    var admitted = 0
    for kind in kinds { admitted += limit.admits(kind, nowMs: 0) ? 1 : 0 }
    #expect(admitted == 256 + 10)
    let leftOut = limit.takeLeftOut(nowMs: 60_000)
    #expect(leftOut.count == 1)
  }
}

@Suite struct ConsoleLogTests {
  private let pipe = Pipe()

  private func log(_ format: ConsoleLog.Format, _ level: LogLevel = LogLevel(.info)) -> Logger {
    let console = ConsoleLog(
      level: level, format: format, descriptor: pipe.fileHandleForWriting.fileDescriptor)
    return Logger(label: "test") { _ in console }
  }

  private func lines() throws -> [String] {
    try pipe.fileHandleForWriting.close()
    let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
    return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  @Test func `A person reads time, level and message`() throws {
    log(.person).warning("careful")
    let line = try #require(try lines().first)
    #expect(line.wholeMatch(of: /\d\d:\d\d:\d\d warning  careful/) != nil, "\(line)")
  }

  @Test func `The journal gets a priority for each level`() throws {
    let log = log(.journal, LogLevel(.trace))
    for level in Logger.Level.allCases { log.log(level: level, "m") }
    #expect(try lines() == ["<7>m", "<7>m", "<6>m", "<5>m", "<4>m", "<3>m", "<2>m"])
  }

  @Test func `A message is one line, whatever is in it`() throws {
    log(.journal).info("a\nb\r\u{1B}[31mc\u{2028}d")
    #expect(try lines() == ["<6>a b  [31mc d"])
  }

  @Test func `The level changes for loggers that are there already`() throws {
    let level = LogLevel(.error)
    let log = log(.journal, level)
    log.info("one")
    level.level = .debug
    log.debug("two")
    level.level = .warning
    log.info("three")
    #expect(try lines() == ["<7>two"])
  }

  @Test func `A copy with a level of its own changes nothing about the others`() throws {
    let level = LogLevel(.info)
    let log = log(.journal, level)
    var quiet = log
    quiet.logLevel = .critical
    log.info("one")
    quiet.info("two")
    level.level = .debug
    quiet.debug("three")
    log.debug("four")
    #expect(try lines() == ["<6>one", "<7>four"])
  }

  @Test func `Lines of a kind are left out, answers never`() throws {
    let log = log(.journal)
    for number in 0..<30 { log.info("\(number)", metadata: ConsoleLog.isAnswer) }
    for number in 0..<30 { log.info("\(number)") }
    for number in 0..<30 { log.error("\(number)") }
    let lines = try lines()
    #expect(lines.count { $0.hasPrefix("<6>") } == 40)
    #expect(lines.count { $0.hasPrefix("<3>") } == 10)
  }

  @Test func `The journal's format is for the stream that systemd names, and no other`() throws {
    let descriptor = pipe.fileHandleForWriting.fileDescriptor
    var status = stat()
    try #require(fstat(descriptor, &status) == 0)
    func format(_ stream: String?) -> ConsoleLog.Format {
      ConsoleLog.Format(environment: stream.map { ["JOURNAL_STREAM": $0] } ?? [:], descriptor: descriptor)
    }
    #expect(format("\(status.st_dev):\(status.st_ino)") == .journal)
    for other in [nil, "", "\(status.st_dev):\(status.st_ino + 1)", "\(status.st_ino)"] {
      #expect(format(other) == .person)
    }
  }
}
