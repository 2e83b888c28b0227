// Memory that is looked at in no order: of a table of millions of entries nearly every look-up misses the processor's
// cache of addresses, and in a virtual machine finding an address again takes longer than fetching what is there. So
// what is large is laid on pages of 2 MiB (Linux, transhuge.rst), and goes back to the system when it is freed: a
// table that doubles would else leave its halves behind on the heap.
//
// Invariant: nothing else depends on it. Where the kernel has no such pages, all is the same, but slower.

import Glibc

private let largePageBytes = 2 << 20

/// Uninitialised memory, at a multiple of 16 bytes, for elements that are looked up at random; to be freed by
/// `freeForLookUps`.
public func allocateForLookUps<Element: BitwiseCopyable>(
  _ type: Element.Type, capacity: Int
) -> UnsafeMutablePointer<Element> {
  let byteCount = capacity * MemoryLayout<Element>.stride
  let memory =
    isLarge(byteCount)
    ? mapLargePages(byteCount)
    : .allocate(byteCount: byteCount, alignment: 16)
  return memory.bindMemory(to: type, capacity: capacity)
}

/// Frees what `allocateForLookUps` returned for the same capacity.
public func freeForLookUps<Element: BitwiseCopyable>(_ memory: UnsafeMutablePointer<Element>, capacity: Int) {
  let byteCount = capacity * MemoryLayout<Element>.stride
  if isLarge(byteCount) { munmap(memory, wholePages(byteCount)) } else { memory.deallocate() }
}

// Of less, too much of a large page would be wasted.
private func isLarge(_ byteCount: Int) -> Bool { byteCount >= 2 * largePageBytes }

private func wholePages(_ byteCount: Int) -> Int { (byteCount + largePageBytes - 1) & ~(largePageBytes - 1) }

private func mapLargePages(_ byteCount: Int) -> UnsafeMutableRawPointer {
  // One page more, so that there is a multiple of its size to begin at; what is beside is given back.
  let length = wholePages(byteCount)
  let flags = MAP_PRIVATE | MAP_ANONYMOUS
  guard let mapped = mmap(nil, length + largePageBytes, PROT_READ | PROT_WRITE, flags, -1, 0),
    mapped != MAP_FAILED
  else { preconditionFailure("out of memory") }
  let before = -Int(bitPattern: mapped) & (largePageBytes - 1)
  if before > 0 { munmap(mapped, before) }
  munmap(mapped + before + length, largePageBytes - before)
  // An answer that it cannot be changes nothing.
  _ = madvise(mapped + before, length, MADV_HUGEPAGE)
  return mapped + before
}
