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

/// XXH3, 64 bits, seed 0, over bytes that come in pieces. `create` returns NULL when there is no memory;
/// `digest` leaves the state as it is; `reset` begins anew.
typedef struct sg_xxh3_state sg_xxh3_state;
sg_xxh3_state *sg_xxh3_create(void);
void sg_xxh3_destroy(sg_xxh3_state *state);
void sg_xxh3_reset(sg_xxh3_state *state);
void sg_xxh3_update(sg_xxh3_state *state, const void *bytes, size_t length);
uint64_t sg_xxh3_digest(const sg_xxh3_state *state);

#ifdef __cplusplus
}
#endif
#endif
