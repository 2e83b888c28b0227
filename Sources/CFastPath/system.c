// What Swift's Glibc does not show: sync_file_range(2) and mallopt(3).
#define _GNU_SOURCE
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "CFastPath.h"

void sg_start_writeback(int file, int64_t offset, int64_t length) {
  // Only a hint: what goes wrong is told by the sync that follows one day.
  (void)sync_file_range(file, offset, length, SYNC_FILE_RANGE_WRITE);
}

void sg_share_heap(void) {
#ifdef __GLIBC__
  (void)mallopt(M_ARENA_MAX, 1);
#endif
}

void sg_reserve_heap(void) {
#ifdef __GLIBC__
  // Never given back before the process ends, and extended by so much at once: by the first block that does not fit.
  enum { RESERVED_BYTES = 1 << 30, FIRST_BYTES = 16 << 20 };
  mallopt(M_TRIM_THRESHOLD, -1);
  mallopt(M_MMAP_THRESHOLD, 2 * FIRST_BYTES);
  mallopt(M_TOP_PAD, RESERVED_BYTES);
  void *first = malloc(FIRST_BYTES);
  mallopt(M_TOP_PAD, FIRST_BYTES);
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  uintptr_t start = ((uintptr_t)first + page - 1) & ~(page - 1);
  uintptr_t end = (uintptr_t)sbrk(0) & ~(page - 1);
  // An answer that it cannot be changes nothing. (Without so much address space the block is elsewhere.)
  if (first != NULL && start < end) (void)madvise((void *)start, end - start, MADV_HUGEPAGE);
  free(first);
#endif
}
