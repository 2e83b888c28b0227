// What Swift's Glibc does not show: sync_file_range(2) and mallopt(3).
#define _GNU_SOURCE
#include <fcntl.h>
#include <malloc.h>

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
