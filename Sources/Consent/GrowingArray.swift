// An array of plain values whose address can be taken: `ConsentDates` reads one of its columns.

import Records

struct GrowingArray<Element: BitwiseCopyable>: ~Copyable {
  private(set) var base: UnsafeMutablePointer<Element> = .allocate(capacity: 64)
  private(set) var count = 0
  private var capacity = 64

  deinit { freeForLookUps(base, capacity: capacity) }

  subscript(place: Int) -> Element {
    unsafeAddress {
      assert(place >= 0 && place < count)
      return UnsafePointer(base + place)
    }
    unsafeMutableAddress {
      assert(place >= 0 && place < count)
      return base + place
    }
  }

  mutating func append(_ element: Element) {
    if count == capacity {
      let larger = allocateForLookUps(Element.self, capacity: capacity * 2)
      larger.update(from: base, count: count)
      freeForLookUps(base, capacity: capacity)
      base = larger
      capacity *= 2
    }
    (base + count).initialize(to: element)
    count += 1
  }
}
