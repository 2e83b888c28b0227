// The earliest consent date among the many customers that claim one serial number.
//
// A heap that forgets lazily: a customer that changes leaves its old entry behind, and entries that
// the index no longer backs are dropped when they come to the top, or all together once they are
// the majority. So a change costs O(log n) however many customers share the serial number.
//
// Invariant: for every customer that counts there is an entry with its present date.

struct SharedClaims {
  struct Entry: Comparable {
    let sinceMs: Int64
    let customer: UInt32

    static func < (a: Entry, b: Entry) -> Bool {
      (a.sinceMs, a.customer) < (b.sinceMs, b.customer)
    }
  }

  private var heap: [Entry] = []
  private var sweepAt = 64

  /// Adds a customer with its present date.
  mutating func add(_ entry: Entry, isBacked: (Entry) -> Bool) {
    if heap.count >= sweepAt { sweep(isBacked) }
    heap.append(entry)
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      if heap[parent] <= heap[child] { break }
      heap.swapAt(parent, child)
      child = parent
    }
  }

  /// The earliest date that the index backs, or `.max`.
  mutating func earliest(isBacked: (Entry) -> Bool) -> Int64 {
    while let top = heap.first {
      if isBacked(top) { return top.sinceMs }
      removeTop()
    }
    return .max
  }

  private mutating func removeTop() {
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    sink(from: 0)
  }

  private mutating func sink(from start: Int) {
    var parent = start
    while true {
      var least = 2 * parent + 1
      if least >= heap.count { return }
      if least + 1 < heap.count && heap[least + 1] < heap[least] { least += 1 }
      if heap[parent] <= heap[least] { return }
      heap.swapAt(parent, least)
      parent = least
    }
  }

  // Sorted is a heap too, and brings repeats together.
  private mutating func sweep(_ isBacked: (Entry) -> Bool) {
    heap.sort()
    var kept: [Entry] = []
    for entry in heap where entry != kept.last && isBacked(entry) { kept.append(entry) }
    heap = kept
    sweepAt = max(64, heap.count * 2)
  }
}
