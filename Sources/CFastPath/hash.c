// Inlined: keys are short, and a call through the shared library costs more than hashing one.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "CFastPath.h"

uint64_t sg_xxh3(const void *bytes, size_t length, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes, length, seed);
}

sg_xxh3_state *sg_xxh3_create(void) {
  XXH3_state_t *state = XXH3_createState();
  if (state != NULL) XXH3_64bits_reset(state);
  return (sg_xxh3_state *)state;
}

void sg_xxh3_destroy(sg_xxh3_state *state) { XXH3_freeState((XXH3_state_t *)state); }

void sg_xxh3_reset(sg_xxh3_state *state) { XXH3_64bits_reset((XXH3_state_t *)state); }

void sg_xxh3_update(sg_xxh3_state *state, const void *bytes, size_t length) {
  XXH3_64bits_update((XXH3_state_t *)state, bytes, length);
}

uint64_t sg_xxh3_digest(const sg_xxh3_state *state) {
  return XXH3_64bits_digest((const XXH3_state_t *)state);
}
