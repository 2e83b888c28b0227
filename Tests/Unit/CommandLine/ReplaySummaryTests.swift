import Pipeline
import Records
import Testing

@testable import stepgate

@Suite struct ReplaySummaryTests {
  private var counts: VerdictCounts {
    var counts = VerdictCounts()
    counts.receive(.customer, 3)
    counts.judge(.customer, .consenting, 2)
    counts.judge(.customer, .stale)
    counts.receive(.accelerometer, 1_234)
    counts.judge(.accelerometer, .trusted, 1_234)
    counts.receive(.stepTrainer, 2)
    counts.judge(.stepTrainer, .noAccelerometer)
    counts.judge(.stepTrainer, .malformed)
    return counts
  }
  private let rows: [Table: Int] = [.customerTrusted: 2, .accelerometerTrusted: 1_234, .rejected: 1]

  @Test func `The JSON has every verdict of every kind, also those that nothing got`() {
    let summary = ReplaySummary(counts: counts, rows: rows, seconds: 0.123_456)

    #expect(
      summary.json == #"{"records":{"accelerometer":{"before_consent":0,"duplicate":0,"future":0,"#
        + #""identity_mismatch":0,"malformed":0,"no_consent":0,"oversized":0,"trusted":1234,"#
        + #""unknown_customer":0},"customer":{"consenting":2,"identity_mismatch":0,"malformed":0,"#
        + #""not_consenting":0,"oversized":0,"stale":1},"step_trainer":{"before_consent":0,"duplicate":0,"#
        + #""future":0,"identity_mismatch":0,"malformed":1,"no_accelerometer":1,"no_consent":0,"#
        + #""oversized":0,"trusted":0,"unknown_device":0}},"seconds":0.123,"#
        + #""tables":{"accelerometer_trusted":1234,"customer_trusted":2,"rejected":1}}"# + "\n")
  }

  @Test func `The text shows what adds up, the rows, the pace and the place`() {
    let summary = ReplaySummary(counts: counts, rows: rows, seconds: 0.5)

    #expect(
      summary.text(output: "out") == """
        verdict            customer  accelerometer  step_trainer
        consenting                2
        not_consenting            0
        stale                     1
        trusted                              1,234             0
        duplicate                                0             0
        future                                   0             0
        unknown_customer                         0
        no_consent                               0             0
        before_consent                           0             0
        unknown_device                                         0
        no_accelerometer                                       1
        malformed                 0              0             1
        oversized                 0              0             0
        identity_mismatch         0              0             0
        received                  3          1,234             2

        table                   rows
        customer_trusted           2
        accelerometer_trusted  1,234
        rejected                   1

        1,239 records in 0.5 s, 2,478 records/s
        tables in out

        """)
  }

  @Test func `A summary is balanced only if what it shows adds up`() {
    #expect(ReplaySummary(counts: counts, rows: rows, seconds: 0).isBalanced)
    #expect(ReplaySummary(counts: VerdictCounts(), rows: [:], seconds: 0).isBalanced)

    var lost = counts
    lost.receive(.accelerometer, 1)
    #expect(!ReplaySummary(counts: lost, rows: rows, seconds: 0).isBalanced)

    var held = counts
    held.receive(.stepTrainer, 1)
    held.judge(.stepTrainer, .held)
    #expect(held.balance)
    #expect(!ReplaySummary(counts: held, rows: rows, seconds: 0).isBalanced)

    var foreign = counts
    foreign.receive(.customer, 1)
    foreign.judge(.customer, .trusted)
    #expect(!ReplaySummary(counts: foreign, rows: rows, seconds: 0).isBalanced)
  }
}
