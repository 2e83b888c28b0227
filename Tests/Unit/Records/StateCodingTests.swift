import Records
import Testing

@Suite struct StateCodingTests {
  private func error(
    _ bytes: [UInt8], _ decode: (inout StateDecoder) throws(StateError) -> Void
  ) -> StateError? {
    do { try decodedState(bytes, decode) } catch { return error as? StateError }
    return nil
  }

  @Test func `The values are these bytes, and come back`() throws {
    let bytes = encodedState { encoder in
      encoder.append(-2 as Int64)
      encoder.append(0x0102_0304 as UInt32)
      encoder.append(0x0506 as UInt16)
      encoder.append(7 as UInt8)
      encoder.append(true)
      encoder.append(false)
      encoder.append(sum: 3)
      Array("née".utf8).withUnsafeBytes { encoder.append(text: $0) }
      encoder.append(text: UnsafeRawBufferPointer(start: nil, count: 0))
      encoder.append(count: 1)
      encoder.append(length: 1).storeBytes(of: 0xAB, as: UInt8.self)
    }
    #expect(
      bytes
        == pinnedBytes(
          """
          fe ff ff ff ff ff ff ff  Int64
          04 03 02 01 06 05 07     UInt32, UInt16, UInt8
          01 00                    flags
          03 00 00 00 00 00 00 00  sum
          04 00 00 00 6e c3 a9 65  text
          00 00 00 00              no text
          01 00 00 00 00 00 00 00  number of elements
          ab                       element
          """))
    try decodedState(bytes) { decoder throws(StateError) in
      let integers = (
        try decoder.read(Int64.self), try decoder.read(UInt32.self), try decoder.read(UInt16.self),
        try decoder.read(UInt8.self)
      )
      #expect(integers == (-2, 0x0102_0304, 0x0506, 7))
      let (yes, no, sum) = (try decoder.readFlag(), try decoder.readFlag(), try decoder.readSum())
      #expect(yes && !no && sum == 3)
      let texts = [try decoder.readText(), try decoder.readText()]
      #expect(texts.map { String(decoding: $0, as: UTF8.self) } == ["née", ""])
      let (count, element) = (try decoder.readCount(elementBytes: 1), try decoder.readBytes(1))
      #expect(count == 1 && Array(element) == [0xAB])
      #expect(decoder.position == bytes.count)
    }
  }

  @Test func `What is not there is not read`() {
    let short: [UInt8] = [3, 0, 0, 0, 65, 66]
    #expect(error([1, 2, 3]) { decoder throws(StateError) in _ = try decoder.read(UInt32.self) }?.byte == 0)
    #expect(error([]) { decoder throws(StateError) in _ = try decoder.read(UInt8.self) }?.byte == 0)
    #expect(error(short) { decoder throws(StateError) in _ = try decoder.readText() }?.byte == 4)
    let huge = [UInt8](repeating: 0xFF, count: 8)
    #expect(error(huge) { decoder throws(StateError) in _ = try decoder.readText() }?.byte == 4)
    #expect(error([]) { decoder throws(StateError) in _ = try decoder.readBytes(.max) }?.byte == 0)
  }

  @Test func `A count is believed only as far as elements can follow`() throws {
    let elements = [4, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 11)
    let tooMany = error(elements) { decoder throws(StateError) in _ = try decoder.readCount(elementBytes: 3) }
    #expect(tooMany == StateError("a count of more than can follow", byte: 0))
    let huge = [UInt8](repeating: 0xFF, count: 16)
    #expect(error(huge) { decoder throws(StateError) in _ = try decoder.readCount(elementBytes: 1) } != nil)
    try decodedState(elements + [0]) { decoder throws(StateError) in
      let count = try decoder.readCount(elementBytes: 3)
      #expect(count == 4)
      _ = try decoder.readBytes(12)
    }
  }

  @Test func `Neither a sum that cannot grow nor a flag that is none is believed`() throws {
    let most = encodedState { $0.append(sum: StateDecoder.sumLimit + 1) }
    #expect(try decodedState(most) { decoder throws(StateError) in try decoder.readSum() } == 1 << 56)
    for sum: Int64 in [1 << 56 + 1, .max, -1] {
      let bytes = encodedState { $0.append(sum) }
      #expect(error(bytes) { decoder throws(StateError) in _ = try decoder.readSum() }?.byte == 0)
    }
    #expect(error([2]) { decoder throws(StateError) in _ = try decoder.readFlag() }?.byte == 0)
  }

  @Test func `A number must be one of those that may stand there`() throws {
    let bytes = encodedState { $0.append(7 as UInt32) }
    #expect(try decodedState(bytes) { decoder throws(StateError) in try decoder.readID(in: 7..<8) } == 7)
    for range in [0..<7, 8..<9, 7..<7] {
      #expect(error(bytes) { decoder throws(StateError) in _ = try decoder.readID(in: range) }?.byte == 0)
    }
  }

  @Test func `The end is where nothing more stands`() {
    let more = error([1, 2]) { decoder throws(StateError) in _ = try decoder.read(UInt8.self) }
    #expect(
      more.map(String.init(describing:)) == "the state is damaged at byte 1: there is more than was written")
  }

  @Test func `A buffer that was reset begins anew and grows with what comes`() {
    var encoder = StateEncoder(capacityBytes: 3)
    encoder.append(0x1111_1111 as UInt32)
    encoder.reset()
    for number in 0..<1000 { encoder.append(UInt16(number)) }
    #expect(encoder.bytes.count == 2000)
    #expect(
      (0..<1000).allSatisfy { encoder.bytes.loadUnaligned(fromByteOffset: $0 * 2, as: UInt16.self) == $0 })
  }
}
