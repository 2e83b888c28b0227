import Testing

@testable import Join

@Suite struct WatermarkTests {
  private let joined = Joined()
  private var watermark: Int64? { joined.join.recentWatermark?.ms }

  private func add(_ serial: UInt32, accelerometer: Int64? = nil, stepTrainer: Int64? = nil) {
    if let accelerometer { joined.accelerometer(accelerometer, serial: serial) }
    if let stepTrainer { joined.stepTrainer(stepTrainer, serial: serial) }
  }

  @Test func `There is none before a serial number has readings of both kinds`() {
    #expect(watermark == nil)
    add(1, accelerometer: 5)
    add(2, stepTrainer: 6)
    #expect(watermark == nil)
    add(1, stepTrainer: 9)
    #expect(watermark == 5)
  }

  @Test func `One clock that is wrong does not move it`() {
    for serial in 0..<5 { add(UInt32(serial), accelerometer: 100, stepTrainer: 100 + Int64(serial)) }
    add(9, accelerometer: 9_000, stepTrainer: 9_000)
    add(8, accelerometer: -9_000, stepTrainer: -9_000)
    #expect(watermark == 100)
  }

  @Test func `Only those that were active last count`() {
    for serial in 0..<100 { add(UInt32(serial), accelerometer: 10, stepTrainer: 10) }
    for serial in 200..<216 { add(UInt32(serial), accelerometer: 20, stepTrainer: 20) }
    #expect(watermark == 20)
  }
}
