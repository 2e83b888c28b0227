import Testing

@testable import stepgate

@Suite struct SummaryTableTests {
  @Test func `Names stand on the left and numbers on the right`() {
    var table = SummaryTable(heading: ["table", "rows", "note"])
    table.append([.text("accelerometer_trusted"), .number(1_234_567), .text("all")])
    table.append([.text("rejected"), .number(0), .text("")])

    #expect(
      table.text == """
        table                       rows  note
        accelerometer_trusted  1,234,567  all
        rejected                       0

        """)
  }

  @Test func `A cell may be blank in a column of numbers`() {
    var table = SummaryTable(heading: ["verdict", "customer"])
    table.append([.text("trusted"), .text("")])
    table.append([.text("received"), .number(7)])

    #expect(table.text == "verdict   customer\ntrusted\nreceived         7\n")
  }

  @Test func `A column is as wide as its heading at least`() {
    var table = SummaryTable(heading: ["verdict", "records"])
    table.append([.text("ü"), .number(7)])

    #expect(table.text == "verdict  records\nü              7\n")
  }

  @Test func `A table without rows is its heading`() {
    #expect(SummaryTable(heading: ["verdict", "records"]).text == "verdict  records\n")
  }

  @Test(arguments: [
    (0, "0"), (12, "12"), (999, "999"), (1_000, "1,000"), (12_100_000, "12,100,000"), (-1, "-1"),
    (-999, "-999"),
    (-1_000, "-1,000"), (Int64.max, "9,223,372,036,854,775,807"), (Int64.min, "-9,223,372,036,854,775,808"),
  ])
  func `Thousands are separated`(number: Int64, text: String) {
    #expect(withThousandsSeparators(number) == text)
  }
}
