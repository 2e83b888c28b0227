// Readings as bytes:
//
//     accelerometer reading   time Int64, customer UInt32, lengths of x, y and z UInt8 each, their texts
//     step trainer reading    time Int64, distance Int64, serial number UInt32
//     list                    count, then the readings in their total order
//
// A text's bytes do not tell whether the join has it in the reading or in its slab.

import Records

extension AccelerometerReading {
  private static let fixedBytes = 15
  static let fewestStateBytes = fixedBytes + 3

  func encode(_ texts: borrowing TextSlab, into encoder: inout StateEncoder) {
    let place = encoder.append(length: Self.fixedBytes + textLength)
    place.storeBytes(of: timeMs.littleEndian, as: Int64.self)
    place.storeBytes(of: customerRaw.littleEndian, toByteOffset: 8, as: UInt32.self)
    place.storeBytes(of: UInt8(xLength), toByteOffset: 12, as: UInt8.self)
    place.storeBytes(of: UInt8(yLength), toByteOffset: 13, as: UInt8.self)
    place.storeBytes(of: UInt8(zLength), toByteOffset: 14, as: UInt8.self)
    let text = UnsafeMutableRawBufferPointer(start: place + Self.fixedBytes, count: textLength)
    if isLong {
      texts.copy(handle, to: place + Self.fixedBytes)
    } else {
      withUnsafeBytes(of: (low, high)) {
        text.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<text.count]))
      }
    }
  }

  init(
    decoding decoder: inout StateDecoder, customers: Range<Int>, _ texts: inout TextSlab
  ) throws(StateError) {
    var record = Record()
    record.time_ms = try decoder.read(Int64.self)
    record.subject = try decoder.readID(in: customers)
    record.x_length = try decoder.read(UInt8.self)
    record.y_length = try decoder.read(UInt8.self)
    record.z_length = try decoder.read(UInt8.self)
    guard record.x_length > 0, record.y_length > 0, record.z_length > 0 else {
      throw decoder.error("a coordinate without a text")
    }
    let numbers = try decoder.readBytes(Int(record.x_length) + Int(record.y_length) + Int(record.z_length))
    record.numbers = numbers.assumingMemoryBound(to: UInt8.self).baseAddress
    self = AccelerometerReading(record).settled(record, in: &texts)
  }
}

extension StepTrainerReading {
  static let stateBytes = 20

  func encode(into encoder: inout StateEncoder) {
    let place = encoder.append(length: Self.stateBytes)
    place.storeBytes(of: timeMs.littleEndian, as: Int64.self)
    place.storeBytes(of: distance.littleEndian, toByteOffset: 8, as: Int64.self)
    place.storeBytes(of: serialRaw.littleEndian, toByteOffset: 16, as: UInt32.self)
  }

  init(decoding decoder: inout StateDecoder, serials: Range<Int>) throws(StateError) {
    var record = Record()
    record.time_ms = try decoder.read(Int64.self)
    record.distance = try decoder.read(Int64.self)
    record.subject = try decoder.readID(in: serials)
    self.init(record)
  }
}

extension ReadingList {
  /// Appends the list; `one` appends a reading.
  func encode(into encoder: inout StateEncoder, _ one: (Element, inout StateEncoder) -> Void) {
    encoder.append(count: count)
    var cursor = cursor(at: .min)
    while let reading = next(&cursor) { one(reading, &encoder) }
  }

  /// Fills the list, which is empty; `one` reads a reading.
  mutating func decode(
    _ decoder: inout StateDecoder, elementBytes: Int, through latest: EventTime,
    _ one: (inout StateDecoder) throws(StateError) -> Element
  ) throws(StateError) {
    var previous: Element?
    for _ in 0..<(try decoder.readCount(elementBytes: elementBytes)) {
      let reading = try one(&decoder)
      if let previous, !Element.precedes(previous, reading) { throw decoder.error("readings out of order") }
      insert(reading)
      previous = reading
    }
    if let previous, previous.timeMs > latest.ms { throw decoder.error("a reading later than the latest") }
  }
}
