// Counts what a thread allocates on the heap, by standing in front of the C library's allocator. Swift and C++
// allocate through it too.
#ifndef STEPGATE_MALLOC_COUNT_H
#define STEPGATE_MALLOC_COUNT_H

#include <stdbool.h>
#include <stddef.h>

/// Whether allocations can be counted: not with a sanitizer, which stands there itself.
bool malloc_count_is_possible(void);

/// Counts this thread's allocations from 0 on. (Growing a block counts as one, freeing does not.)
void malloc_count_begin(void);

/// The allocations since `malloc_count_begin` on this thread, which are counted no further.
long malloc_count_end(void);

/// The bytes of memory that the whole process takes, once the C library has given back what it does not use.
size_t malloc_count_resident_bytes(void);

#endif
