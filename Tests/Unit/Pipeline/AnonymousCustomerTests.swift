import Join
import Pipeline
import TestSupport
import Testing

/// Customers who claim no serial number.
@Suite struct AnonymousCustomerTests {
  // Found by simulation: the number that stands for "none" was handed on with the times of the customer before, so that
  // a reading was too old as soon as it came, and its repeat no duplicate.
  @Test(arguments: [Pairing.owner, .timestamp])
  func `A customer without a serial number begins anew, whoever had none before`(pairing: Pairing) throws {
    var settings = EngineSettings()
    settings.join.pairing = pairing
    settings.join.retentionMs = 250
    let run = try PipelineRun(settings)
    func customer(_ email: String, _ serialNumber: String, date: Int) -> Message {
      Message(
        .customer,
        #"{"email":"\#(email)","serialNumber":"\#(serialNumber)","lastUpdateDate":\#(date),"#
          + #""shareWithResearchAsOfDate":1}"#, arrivalMs: 20_000)
    }
    func reading(_ email: String, timeMs: Int) -> Message {
      Message(
        .accelerometer, #"{"user":"\#(email)","timestamp":\#(timeMs),"x":1,"y":2,"z":3}"#, arrivalMs: 20_000)
    }
    try run.handle([
      customer("before@x", "", date: 1), reading("before@x", timeMs: 12_450),
      customer("before@x", "s1", date: 2), customer("after@x", "", date: 1),
      reading("after@x", timeMs: 12_300), reading("after@x", timeMs: 12_300),
    ])
    #expect(run.verdicts["accelerometer"] == ["trusted": 2, "duplicate": 1])
    guard pairing == .owner else { return }
    try run.handle([
      customer("after@x", "s2", date: 2), customer("third@x", "", date: 1),
      reading("third@x", timeMs: 9_000), reading("third@x", timeMs: 9_000),
    ])
    #expect(run.verdicts["accelerometer"] == ["trusted": 3, "duplicate": 2])
  }
}
