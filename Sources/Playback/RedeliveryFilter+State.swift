// What the filter remembers as bytes:
//
//     filter     last contact, messages
//     contact    Bool, and if it is true Int64: when the session was last known to exist, ms
//     messages   sum: the messages so far, then count, then for each id whose last message may come again, by
//                id ascending: id UInt16, age UInt16 (messages that came after it), content UInt64
//
// What belongs to a connection is no part of it: a new one begins with `connected`.

import Records

extension RedeliveryFilter {
  private static let entryBytes = 12

  /// Appends what is remembered.
  public func encode(into encoder: inout StateEncoder) {
    encoder.append(lastContactMs != nil)
    if let lastContactMs { encoder.append(lastContactMs) }
    encoder.append(sum: count)
    let ids = idsThatMayComeAgain
    encoder.append(count: ids.count)
    for id in ids {
      encoder.append(UInt16(id))
      encoder.append(UInt16(count - numbers[id]))
      encoder.append(contents[id])
    }
  }

  // For each checkpoint, so this is a plain loop over plain memory. There are no more ids than messages, so after a
  // short session it ends early.
  private var idsThatMayComeAgain: [Int] {
    let oldest = oldestThatMayComeAgain
    let most = count
    return numbers.withUnsafeBufferPointer { numbers in
      var ids: [Int] = []
      var id = 0
      while id < numbers.count && ids.count < most {
        if numbers[id] > oldest { ids.append(id) }
        id += 1
      }
      return ids
    }
  }

  /// Reads back what `encode` appended. Until `connected` no message is recognised.
  public init(decoding decoder: inout StateDecoder) throws(StateError) {
    self.init()
    if try decoder.readFlag() { lastContactMs = try decoder.read(Int64.self) }
    count = try decoder.readSum()
    var ages: [UInt16] = []
    var previous = 0
    for _ in 0..<(try decoder.readCount(elementBytes: Self.entryBytes)) {
      let id = Int(try decoder.read(UInt16.self))
      guard id > previous else { throw decoder.error("packet ids out of order") }
      previous = id
      let age = try decoder.read(UInt16.self)
      numbers[id] = count - Int(age)
      guard mayComeAgain(id) else { throw decoder.error("a message that is too old to come again") }
      ages.append(age)
      contents[id] = try decoder.read(UInt64.self)
    }
    ages.sort()
    for (one, next) in zip(ages, ages.dropFirst()) where one == next {
      throw decoder.error("two messages of the same age")
    }
  }
}
