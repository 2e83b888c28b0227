// The program's own malloc goes before the C library's, which is reached by glibc's second names for it.
//
// Invariant: nothing here allocates, and a thread that does not count pays for one look at a variable of its own.

#include "CMallocCount.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { NOT_COUNTING = -1 };

static _Thread_local long allocations = NOT_COUNTING;

void malloc_count_begin(void) { allocations = 0; }

long malloc_count_end(void) {
  long count = allocations;
  allocations = NOT_COUNTING;
  return count;
}

size_t malloc_count_resident_bytes(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
  FILE *file = fopen("/proc/self/statm", "r");
  unsigned long all = 0, resident = 0;
  if (file == NULL || fscanf(file, "%lu %lu", &all, &resident) != 2) abort();
  fclose(file);
  return resident * (size_t)sysconf(_SC_PAGESIZE);
}

#if defined(__GLIBC__) && !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)

bool malloc_count_is_possible(void) { return true; }

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static void note(void) {
  if (allocations != NOT_COUNTING) allocations++;
}

void *malloc(size_t size) {
  note();
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  note();
  return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size) {
  note();
  return __libc_realloc(block, size);
}

void *memalign(size_t alignment, size_t size) {
  note();
  return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  note();
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size) {
  note();
  *block = __libc_memalign(alignment, size);
  return *block == NULL ? ENOMEM : 0;
}

#else

bool malloc_count_is_possible(void) { return false; }

#endif
