// Inlined: keys are short, and a call through the shared library costs more than hashing one.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "CFastPath.h"

uint64_t sg_xxh3(const void *bytes, size_t length, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes, length, seed);
}
