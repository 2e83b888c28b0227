// C interface to simdjson and xxHash.
#ifndef STEPGATE_CFASTPATH_H
#define STEPGATE_CFASTPATH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// XXH3, 64 bits, of `length` bytes, with a seed.
uint64_t sg_xxh3(const void *bytes, size_t length, uint64_t seed);

#ifdef __cplusplus
}
#endif
#endif
