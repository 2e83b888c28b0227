// The table of figures: a row is enough for /metrics, the page and the terminal, and says where /status.json has it.

import Foundation
import Testing

@testable import Gateway
@testable import stepgate

@Suite struct FiguresTests {
  /// A gateway about which everything is known; no two of its numbers are the same, and no count has a separator.
  private static let full: GatewayStatus = {
    var status = GatewayStatus()
    status.startedAtMs = 17_000
    status.nowAtMs = 900_000
    status.connection.isSubscribed = true
    (status.connection.connects, status.connection.messages) = (101, 102)
    (status.connection.redelivered, status.connection.sessionsLost) = (103, 104)
    var pipeline = GatewayStatus.Pipeline()
    pipeline.records["customer"] = .init(received: 106, verdicts: ["consenting": 107])
    pipeline.tables["rejected"] = 108
    (pipeline.held, pipeline.customers, pipeline.watermarkLagMs) = (109, 110, 111)
    pipeline.join = .init(
      readings: 112, memoryBytes: 113, maxMemoryBytes: 114, evictedByAge: 115, evictedIdle: 116,
      evictedForMemory: 117, late: 118)
    status.pipeline = pipeline
    status.journal = .init(positionBytes: 119, playedPositionBytes: 120, sizeBytes: 121)
    status.checkpoint = .init(writtenAtMs: 122, positionBytes: 123)
    status.disk = .init(freeBytes: 124, reserveBytes: 125, isLow: true)
    status.reload = .init(isGood: true, doneAtMs: 126)
    status.customerFilesAreGood = true
    status.process = .init(residentBytes: 127, cpuSeconds: 128, openFiles: 129)
    return status
  }()

  private let page = StatusPage.html(nonce: "")

  /// What /status.json has at a path.
  private func value(at path: String) throws -> Any? {
    let json = try JSONSerialization.jsonObject(with: Data(Self.full.json))
    return path.split(separator: ".").reduce(json) { ($0 as? [String: Any])?[String($1)] as Any }
  }

  private func number(at path: String) throws -> Double? {
    let value = try value(at: path)
    return (value as? Double) ?? (value as? Bool).map { $0 ? 1 : 0 }
  }

  @Test func `Every figure has a name of its own and a help`() {
    #expect(Set(Figure.all.map(\.metric)).count == Figure.all.count)
    for figure in Figure.all {
      #expect(figure.metric.wholeMatch(of: /(stepgate|process)_[a-z_]+(\{[a-z]+="[a-z]+"\})?/) != nil)
      #expect(figure.help.hasSuffix("."), "\(figure.metric)")
    }
  }

  @Test(arguments: Figure.all.map(\.metric))
  func `A figure is the value that /status.json has at its path`(metric: String) throws {
    let figure = try #require(Figure.all.first { $0.metric == metric })
    let samples = figure.samples(Self.full)
    if samples.map(\.labels) == [""] {
      #expect(try number(at: figure.path) == samples[0].value)
    } else {
      #expect(try value(at: figure.path) is [String: Any] || value(at: figure.path) is String)
      #expect(!samples.isEmpty)
    }
  }

  @Test(arguments: Figure.all.map(\.metric))
  func `A row is enough to be in metrics, on the page and on the terminal`(metric: String) throws {
    let figure = try #require(Figure.all.first { $0.metric == metric })
    #expect(Self.full.metrics.contains("# HELP \(metric.prefix { $0 != "{" }) \(figure.help)\n"))
    #expect(Self.full.metrics.contains("\n\(metric)"))
    if let label = figure.label {
      let unit = figure.unit.rawValue
      #expect(
        page.contains(
          "<dt>\(label)</dt><dd id=\"\(figure.id)\" data-path=\"\(figure.path)\" data-unit=\"\(unit)\""))
    }
    guard let words = figure.words else { return }
    let value = try #require(figure.value(in: Self.full))
    let shown = [
      .count: "\(Int(value))", .bytes: "\(Int(value)) B", .duration: "\(Double(Int(value / 100)) / 10) s",
    ][figure.unit, default: "2 min"]
    let line = try #require(
      StatusText(Self.full).text.split(separator: "\n").first {
        $0.contains(words.replacing("%", with: shown))
      })
    #expect(words.contains("%") && line.first?.isLetter == true)
  }

  @Test func `Every path of the page is one of /status.json, in a unit that its script knows`() throws {
    let known = try #require(page.firstMatch(of: /const units = \{(.*)\};/)).1
    let places = page.matches(of: /data-path="([^"]+)" data-unit="([^"]+)"/)
    #expect(places.count > Figure.all.filter { $0.label != nil }.count)
    for place in places {
      #expect(try number(at: String(place.1)) != nil, "\(place.1)")
      #expect(known.contains(" \(place.2)"), "\(place.2)")
    }
    let ids = page.matches(of: /\sid="([^"]+)"/).map(\.1)
    #expect(Set(ids).count == ids.count)
  }
}
