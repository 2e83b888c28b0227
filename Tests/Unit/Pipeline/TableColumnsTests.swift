import Foundation
import Pipeline
import Records
import TestSupport
import Testing

/// What `Table.columns` says, beside the rows that the engine makes.
@Suite struct TableColumnsTests {
  private static let customer =
    #"{"email":"ada@x","serialNumber":"S1","lastUpdateDate":5,"registrationDate":4,"#
    + #""shareWithResearchAsOfDate":1,"shareWithPublicAsOfDate":2,"shareWithFriendsAsOfDate":3,"#
    + #""customerName":"Ada","phone":5551234,"birthDay":"1990-01-01"}"#

  /// A run that writes to every table, in every column.
  private static func run() throws -> PipelineRun {
    var settings = EngineSettings()
    (settings.landing, settings.live) = (true, true)
    let run = try PipelineRun(settings)
    try run.handle([
      Message(.customer, customer),
      Message(.accelerometer, #"{"user":"ada@x","timestamp":1000,"x":1.5,"y":-2,"z":0}"#),
      Message(.stepTrainer, #"{"sensorReadingTime":1050,"serialNumber":"S1","distanceFromObject":7}"#),
      Message(.stepTrainer, "{"), Message(.stepTrainer, bytes: [0xFF, 0xFE]),
    ])
    try run.engine.recordGap(SessionGap(fromMs: 1, toMs: 2))
    try run.engine.tables.flush()
    return run
  }

  @Test(arguments: Table.allCases)
  func `Rows have the table's columns, in their order, with values of their types`(table: Table) throws {
    let rows = try Self.run().rows(of: table)
    #expect(!rows.isEmpty)
    var seen: Set<String> = []
    for row in rows {
      let values = try #require(JSONSerialization.jsonObject(with: Data(row.utf8)) as? [String: Any])
      let columns = table.columns.filter { values[$0.name] != nil }
      #expect(columns.count == values.count, "a value without a column")
      let places = try columns.map { try #require(row.range(of: "\"\($0.name)\":")).lowerBound }
      #expect(places == places.sorted())
      for column in columns {
        let value = try #require(values[column.name])
        #expect(Self.isOfType(value, column.type), "\(column.name): \(value)")
        seen.insert(column.name)
      }
    }
    #expect(seen == Set(table.columns.map(\.name)), "a column without a value")
  }

  private static func isOfType(_ value: Any, _ type: Table.ColumnType) -> Bool {
    switch type {
    case .text: value is String
    case .textOrNumber: value is String || value is NSNumber
    case .integer, .timeMs: (value as? NSNumber).map { $0.doubleValue == Double($0.int64Value) } ?? false
    case .number: value is NSNumber
    }
  }

  @Test func `A name is that of one table, and of one column in it`() {
    for table in Table.allCases {
      #expect(Table.named(table.name) == table)
      #expect(Set(table.columns.map(\.name)).count == table.columns.count)
    }
    #expect(Set(Table.allCases.map(\.name)).count == Table.allCases.count)
  }

  @Test func `Who and whose are known in every table that leaves the machine`() {
    let names = ["email": Table.Privacy.person, "user": .person, "serialNumber": .device]
    for column in Table.allCases.flatMap(\.columns) {
      #expect((names[column.name] ?? column.privacy) == column.privacy, "\(column.name)")
    }
  }
}
