// Readings in the order of time: sorted chunks of at most 256, with a directory once there is more
// than one.
//
// Why: most serial numbers have a few readings, so the first chunk starts small and needs no
// directory; but millions of customers may share a serial number, and then an insertion anywhere
// must still move little (at most one chunk) and find its place by binary search.
//
// Invariants:
// - Chunks are sorted, none is empty unless the list is, and each ends before the next begins.
// - How the readings lie in chunks shows in nothing, not even in the order in which they are removed.
// - Nothing is allocated while readings come and go in a chunk that has seen as many before.

struct Chunk<Element: Reading> {
  static var limit: Int { 256 }

  var base: UnsafeMutablePointer<Element>
  var start: UInt16 = 0
  var count: UInt16 = 0
  var capacity: UInt16

  init(capacity: Int) {
    base = .allocate(capacity: capacity)
    self.capacity = UInt16(capacity)
  }

  var elements: UnsafeMutablePointer<Element> { base + Int(start) }
  var first: Element { elements[0] }

  /// The place of the first element that does not precede this one.
  func place(of element: Element) -> Int {
    var low = 0
    var high = Int(count)
    // Readings mostly arrive in the order of time.
    if high > 0 && Element.precedes(elements[high - 1], element) { return high }
    while low < high {
      let middle = (low + high) / 2
      if Element.precedes(elements[middle], element) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The place of the first element at this time or after it.
  func place(at timeMs: Int64) -> Int {
    var low = 0
    var high = Int(count)
    while low < high {
      let middle = (low + high) / 2
      if elements[middle].timeMs < timeMs { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Makes room behind the last element. False when the chunk is at its limit.
  mutating func makeRoom() -> Bool {
    if Int(start) + Int(count) < Int(capacity) { return true }
    if start > 0 && (start >= capacity / 4 || Int(capacity) == Self.limit) {
      base.update(from: elements, count: Int(count))
      start = 0
      return true
    }
    if Int(capacity) >= Self.limit { return false }
    // Few steps at first, for of a hundred thousand lists that grow at the same pace none can use what the others leave
    // behind; then by a half, since the slack of as many is much of the join's memory.
    let wanted = capacity < 16 ? 16 : Int(capacity + capacity / 2)
    var larger = Chunk(capacity: min(Self.limit, wanted))
    larger.base.update(from: elements, count: Int(count))
    larger.count = count
    base.deallocate()
    self = larger
    return true
  }

  mutating func insert(_ element: Element, at place: Int) {
    let moved = elements + place
    (moved + 1).update(from: moved, count: Int(count) - place)
    moved.initialize(to: element)
    count += 1
  }
}

struct ReadingList<Element: Reading> {
  /// A place in the list.
  struct Cursor {
    var chunk: Int
    var index: Int
  }

  private var single: Chunk<Element>?
  private var directory: UnsafeMutablePointer<Chunk<Element>>?
  private var directoryCapacity: Int32 = 0
  private(set) var chunkCount: Int32 = 0
  private(set) var count = 0

  init() {}

  /// Frees the memory; the list is empty afterwards.
  mutating func free() {
    for place in 0..<Int(chunkCount) { chunk(place).base.deallocate() }
    directory?.deallocate()
    self = ReadingList()
  }

  func chunk(_ place: Int) -> Chunk<Element> {
    directory == nil ? single.unsafelyUnwrapped : directory.unsafelyUnwrapped[place]
  }

  private mutating func setChunk(_ place: Int, _ chunk: Chunk<Element>) {
    if directory == nil { single = chunk } else { directory.unsafelyUnwrapped[place] = chunk }
  }

  /// The earliest reading.
  var first: Element? { count == 0 ? nil : chunk(0).first }
  /// The latest reading.
  var last: Element? {
    guard count > 0 else { return nil }
    let last = chunk(Int(chunkCount) - 1)
    return last.elements[Int(last.count) - 1]
  }

  // MARK: Searching

  /// The last chunk that begins before something, or the first.
  private func chunkPlace(_ beginsBefore: (Element) -> Bool) -> Int {
    var low = 0
    var high = Int(chunkCount) - 1
    while low < high {
      let middle = (low + high + 1) / 2
      if beginsBefore(chunk(middle).first) { low = middle } else { high = middle - 1 }
    }
    return low
  }

  /// The first reading at this time or after it.
  func cursor(at timeMs: Int64) -> Cursor {
    guard count > 0 else { return Cursor(chunk: 0, index: 0) }
    let place = chunkPlace { $0.timeMs < timeMs }
    return Cursor(chunk: place, index: chunk(place).place(at: timeMs))
  }

  /// The reading at the cursor, which moves on; nil at the end.
  func next(_ cursor: inout Cursor) -> Element? {
    while cursor.chunk < Int(chunkCount) {
      let current = chunk(cursor.chunk)
      if cursor.index < Int(current.count) {
        cursor.index += 1
        return current.elements[cursor.index - 1]
      }
      cursor = Cursor(chunk: cursor.chunk + 1, index: 0)
    }
    return nil
  }

  /// Whether an equal reading is there.
  func contains(_ element: Element) -> Bool { place(for: element) == nil }

  // MARK: Inserting

  /// Where a reading goes; nil if an equal one is there. Good until the list changes.
  func place(for element: Element) -> Cursor? {
    guard count > 0 else { return Cursor(chunk: 0, index: 0) }
    let place = chunkPlace { !Element.precedes(element, $0) }
    let chunk = chunk(place)
    let index = chunk.place(of: element)
    if index < Int(chunk.count) && !Element.precedes(element, chunk.elements[index]) { return nil }
    return Cursor(chunk: place, index: index)
  }

  /// Inserts a reading that is not there yet.
  mutating func insert(_ element: Element) {
    guard let cursor = place(for: element) else { preconditionFailure("the reading is there") }
    insert(element, at: cursor)
  }

  /// Inserts a reading where `place(for:)` says.
  mutating func insert(_ element: Element, at cursor: Cursor) {
    if chunkCount == 0 {
      single = Chunk(capacity: 4)
      chunkCount = 1
    }
    var (place, index) = (cursor.chunk, cursor.index)
    var target = chunk(place)
    if !target.makeRoom() {
      (place, index) = split(place, at: index)
      target = chunk(place)
    }
    target.insert(element, at: index)
    setChunk(place, target)
    count += 1
  }

  // Behind the last reading a new chunk begins empty, so that readings in order fill their chunks;
  // elsewhere the upper half moves to a new chunk.
  private mutating func split(_ place: Int, at index: Int) -> (place: Int, index: Int) {
    var lower = chunk(place)
    var upper = Chunk<Element>(capacity: Chunk<Element>.limit)
    let isAppend = place == Int(chunkCount) - 1 && index == Int(lower.count)
    let kept = isAppend ? Int(lower.count) : Int(lower.count) / 2
    upper.count = lower.count - UInt16(kept)
    upper.base.update(from: lower.elements + kept, count: Int(upper.count))
    lower.count = UInt16(kept)
    setChunk(place, lower)
    insertChunk(upper, at: place + 1)
    return index <= kept && !isAppend ? (place, index) : (place + 1, index - kept)
  }

  private mutating func insertChunk(_ chunk: Chunk<Element>, at place: Int) {
    if chunkCount == directoryCapacity || directory == nil { growDirectory() }
    let base = directory.unsafelyUnwrapped
    (base + place + 1).update(from: base + place, count: Int(chunkCount) - place)
    (base + place).initialize(to: chunk)
    chunkCount += 1
  }

  private mutating func growDirectory() {
    let capacity = max(4, Int(directoryCapacity) * 2)
    let larger = UnsafeMutablePointer<Chunk<Element>>.allocate(capacity: capacity)
    for place in 0..<Int(chunkCount) { (larger + place).initialize(to: chunk(place)) }
    directory?.deallocate()
    directory = larger
    directoryCapacity = Int32(capacity)
    single = nil
  }

  // MARK: Removing

  /// Removes the readings before a time, oldest first.
  mutating func removeFirst(before timeMs: Int64, _ each: (Element) -> Void) {
    while count > 0 {
      var front = chunk(0)
      let removed = front.place(at: timeMs)
      for index in 0..<removed { each(front.elements[index]) }
      count -= removed
      front.count -= UInt16(removed)
      front.start = front.count == 0 ? 0 : front.start + UInt16(removed)
      setChunk(0, front)
      if front.count > 0 { return }
      if chunkCount == 1 { return }
      removeChunk(at: 0)
    }
  }

  /// Removes the readings that satisfy a condition, oldest first. Looks at all.
  mutating func removeAll(where condition: (Element) -> Bool, _ each: (Element) -> Void) {
    var keptChunks = 0
    for place in 0..<Int(chunkCount) {
      var current = chunk(place)
      var kept = 0
      for index in 0..<Int(current.count) {
        let element = current.elements[index]
        if condition(element) {
          each(element)
        } else {
          current.elements[kept] = element
          kept += 1
        }
      }
      count -= Int(current.count) - kept
      current.count = UInt16(kept)
      let isLastOne = keptChunks == 0 && place == Int(chunkCount) - 1
      if kept == 0 && !isLastOne {
        current.base.deallocate()
      } else {
        setChunk(keptChunks, current)
        keptChunks += 1
      }
    }
    chunkCount = Int32(keptChunks)
  }

  private mutating func removeChunk(at place: Int) {
    let base = directory.unsafelyUnwrapped
    base[place].base.deallocate()
    (base + place).update(from: base + place + 1, count: Int(chunkCount) - place - 1)
    chunkCount -= 1
  }
}
