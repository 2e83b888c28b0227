#include "CFastPath.h"

#include <xxhash.h>

uint64_t sg_xxh3(const void *bytes, size_t length, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes, length, seed);
}
