// The rows of each table: columns in the contract's order, values as they came in.

import CFastPath
import Consent
import Join
import Records

/// A time in which messages may have been lost through no fault of the gateway.
public struct SessionGap: Equatable, Sendable {
  /// When the session was last known to exist, and when the broker had forgotten it; milliseconds since
  /// 1970-01-01 UTC.
  public let fromMs: Int64
  public let toMs: Int64

  public init(fromMs: Int64, toMs: Int64) {
    self.fromMs = fromMs
    self.toMs = toMs
  }
}

extension RowBuffer {
  /// A customer's fields, absent ones left out, without the line feed.
  mutating func appendCustomer(_ fields: UnsafePointer<CustomerFields>) {
    append(byte: UInt8(ascii: "{"))
    let names: [StaticString] = [
      "\"email\":", "\"serialNumber\":", "\"lastUpdateDate\":", "\"registrationDate\":",
      "\"shareWithResearchAsOfDate\":", "\"shareWithPublicAsOfDate\":", "\"shareWithFriendsAsOfDate\":",
      "\"customerName\":", "\"phone\":", "\"birthDay\":",
    ]
    withUnsafeBytes(of: fields.pointee.raw) { raw in
      let spans = raw.bindMemory(to: sg_span.self)
      var isFirst = true
      for (name, span) in zip(names, spans) where span.length > 0 {
        if !isFirst { append(byte: UInt8(ascii: ",")) }
        isFirst = false
        append(name)
        append(UnsafeRawBufferPointer(start: span.bytes, count: Int(span.length)))
      }
    }
    append(byte: UInt8(ascii: "}"))
  }

  /// A row of accelerometer_trusted.
  mutating func appendAccelerometer(_ record: Record, email: IdentityText) {
    append("{\"user\":")
    append(string: email)
    appendMeasurement(
      record.time_ms, record.numbers, Int(record.x_length), Int(record.y_length), Int(record.z_length))
    endRow()
  }

  /// A row of step_trainer_trusted.
  mutating func appendStepTrainer(_ reading: StepTrainerReading, serialNumber: IdentityText) {
    appendStepTrainerColumns(reading, serialNumber: serialNumber)
    append(byte: UInt8(ascii: "}"))
    endRow()
  }

  /// Rows of machine_learning_curated.
  mutating func appendPairs(_ pairs: UnsafeBufferPointer<Pair>, consent: ConsentIndex, join: IntervalJoin) {
    var columns = 0..<0
    for place in pairs.indices {
      let pair = pairs[place]
      let start = count
      // Most readings have several partners: half of the row is that of the row before.
      if place > 0 && pair.stepTrainer == pairs[place - 1].stepTrainer {
        appendCopy(of: columns)
      } else {
        appendStepTrainerColumns(pair.stepTrainer, serialNumber: consent.text(of: pair.stepTrainer.serial))
      }
      columns = start..<count
      appendAccelerometerColumns(
        pair.accelerometer, email: consent.email(of: pair.accelerometer.customer), join)
      endRow()
    }
  }

  private mutating func appendAccelerometerColumns(
    _ reading: AccelerometerReading, email: IdentityText, _ join: IntervalJoin
  ) {
    append(",\"user\":")
    append(string: email)
    withUnsafeTemporaryAllocation(byteCount: 3 * SG_NUMBER_LIMIT, alignment: 8) { numbers in
      let start = numbers.baseAddress!
      join.copyNumbers(of: reading, to: start)
      appendMeasurement(
        reading.timeMs, start.assumingMemoryBound(to: UInt8.self), reading.xLength, reading.yLength,
        reading.zLength)
    }
  }

  private mutating func appendStepTrainerColumns(
    _ reading: StepTrainerReading, serialNumber: IdentityText
  ) {
    append("{\"sensorReadingTime\":")
    append(reading.timeMs)
    append(",\"serialNumber\":")
    append(string: serialNumber)
    append(",\"distanceFromObject\":")
    append(reading.distance)
  }

  private mutating func appendMeasurement(
    _ timeMs: Int64, _ numbers: UnsafePointer<UInt8>, _ xLength: Int, _ yLength: Int, _ zLength: Int
  ) {
    append(",\"timestamp\":")
    append(timeMs)
    append(",\"x\":")
    append(UnsafeRawBufferPointer(start: numbers, count: xLength))
    append(",\"y\":")
    append(UnsafeRawBufferPointer(start: numbers + xLength, count: yLength))
    append(",\"z\":")
    append(UnsafeRawBufferPointer(start: numbers + xLength + yLength, count: zLength))
    append(byte: UInt8(ascii: "}"))
  }

  /// A row of a landing table: the record as it came, on one line.
  mutating func appendLanding(_ record: Record) {
    let text = UnsafeRawBufferPointer(start: record.text, count: Int(record.text_length))
    if text.contains(UInt8(ascii: "\n")) {
      let line = UnsafeMutableRawBufferPointer.allocate(byteCount: text.count + textSlack, alignment: 1)
      defer { line.deallocate() }
      let length = sg_minify(record.text, text.count, line.baseAddress!.assumingMemoryBound(to: UInt8.self))
      append(UnsafeRawBufferPointer(rebasing: line[..<length]))
    } else {
      append(text)
    }
    endRow()
  }

  /// A row of the quarantine.
  mutating func appendRejected(
    _ record: Record, arrivalMs: Int64, topic: UnsafeRawBufferPointer, reason: Verdict, detail: String
  ) {
    append("{\"receivedAt\":")
    append(arrivalMs)
    append(",\"topic\":")
    append(text: String(decoding: topic, as: UTF8.self))
    append(",\"reason\":")
    append(text: reason.name)
    append(",\"detail\":")
    append(text: detail)
    appendPayload(UnsafeRawBufferPointer(start: record.text, count: Int(record.text_length)))
    append(byte: UInt8(ascii: "}"))
    endRow()
  }

  /// A row of gaps.
  mutating func appendGap(_ gap: SessionGap) {
    append("{\"from\":")
    append(gap.fromMs)
    append(",\"to\":")
    append(gap.toMs)
    append(",\"reason\":\"the broker no longer knew the session\"}")
    endRow()
  }

  // At most 4 KiB of it; text is cut between characters.
  private mutating func appendPayload(_ payload: UnsafeRawBufferPointer) {
    let limit = min(payload.count, 4096)
    var end = limit
    // A character has at most three continuation bytes; more of them are no text.
    while end < payload.count, end > limit - 3, payload[end] & 0xC0 == 0x80 { end -= 1 }
    let text = UnsafeRawBufferPointer(rebasing: payload[..<end])
    if text.isEmpty || sg_is_utf8(text.baseAddress!.assumingMemoryBound(to: UInt8.self), text.count) {
      append(",\"payload\":")
      append(string: text)
    } else {
      append(",\"payloadBase64\":")
      append(base64: UnsafeRawBufferPointer(rebasing: payload.prefix(4096)))
    }
  }

  private mutating func append(text: String) {
    var text = text
    text.withUTF8 { append(string: UnsafeRawBufferPointer($0)) }
  }
}
