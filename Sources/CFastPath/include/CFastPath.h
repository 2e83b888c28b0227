// The C face of the two libraries that a record meets on its way, simdjson and xxHash, and of one system call that
// Swift does not show.
//
// Invariants:
// - One call per payload or block, never one per record.
// - A pointer in a record points into the caller's text or into the batch; it is good until the
//   batch is cleared and as long as the text stays where it was.
// - The data never makes a call fail: what is wrong with a record is in its `problem`.
#ifndef STEPGATE_CFASTPATH_H
#define STEPGATE_CFASTPATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Begins to fetch the cache line at an address, which may be any.
static inline void sg_prefetch(const void *address) { __builtin_prefetch(address); }

/// Begins to fetch all cache lines that `length` bytes lie in, at least one.
static inline void sg_prefetch_bytes(const void *address, size_t length) {
  const uintptr_t line = 64;
  uintptr_t end = (uintptr_t)address + length;
  for (uintptr_t at = (uintptr_t)address & ~(line - 1); at < end; at += line) __builtin_prefetch((const void *)at);
}

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

/// Has the kernel begin to write a part of a file to the disk, and waits for nothing. No durability comes of it.
void sg_start_writeback(int file, int64_t offset, int64_t length);

/// From now on all threads allocate from one heap. To be called before there is a second thread.
void sg_share_heap(void);

/// Address space for a heap of a gigabyte, on large pages (Linux, transhuge.rst), which memory is taken for as it is
/// used. For a process that ends soon: what is freed is not given back.
void sg_reserve_heap(void);

/// Bytes behind a text that simdjson may read (it ignores what is in them).
enum { SG_TEXT_SLACK = 64 };

/// Kinds of records, numbered as in `RecordKind`.
enum { SG_CUSTOMER = 0, SG_ACCELEROMETER = 1, SG_STEP_TRAINER = 2 };

/// What is wrong with a record; numbered as in `Problem`.
enum {
  SG_FINE = 0,
  SG_EMPTY_TEXT,
  SG_NOT_JSON,
  SG_NOT_AN_OBJECT,
  SG_MISSING,
  SG_NOT_A_STRING,
  SG_NOT_AN_INTEGER,
  SG_NOT_A_NUMBER,
  SG_NOT_TEXT_OR_NUMBER,
  SG_EMPTY_IDENTITY,
  SG_DUPLICATE_KEY,
  SG_NUMBER_TOO_LONG,
  SG_TOO_DEEP,
  SG_TRAILING_TEXT,
  SG_OVERSIZED,
  SG_UNKNOWN_TOPIC,
  SG_IDENTITY_MISMATCH,
};

/// The longest text of a coordinate (a double needs 24; this leaves room for any sensible one).
enum { SG_NUMBER_LIMIT = 255 };

/// The number of customer fields, in the order of the customer tables' columns.
enum { SG_CUSTOMER_FIELDS = 10 };

/// A piece of a text: not terminated.
typedef struct {
  const uint8_t *bytes;
  uint32_t length;
} sg_span;

/// One record of any kind: one cache line.
typedef struct {
  /// timestamp or sensorReadingTime, milliseconds; 0 for customers.
  int64_t time_ms;
  /// distanceFromObject; for customers the place in the batch's list of customers.
  int64_t distance;
  /// email, user or serialNumber, unescaped UTF-8; null where the record has a problem.
  const uint8_t *identity;
  /// The texts of x, y and z one after another (accelerometer).
  const uint8_t *numbers;
  /// The record as it came.
  const uint8_t *text;
  uint32_t identity_length;
  uint32_t text_length;
  uint8_t x_length, y_length, z_length;
  uint8_t problem;
  /// Which field the problem is in: its place in the kind's list of fields.
  uint8_t field;
  /// For the engine: the verdict, and whether this reading made its customer curated.
  uint8_t verdict, curates;
  /// For the engine: the customer or serial number the identity was resolved to.
  uint32_t subject;
} sg_record;

/// The fields of a customer record that only customers have.
typedef struct {
  /// The raw JSON values in column order; length 0 where absent or null.
  sg_span raw[SG_CUSTOMER_FIELDS];
  /// serialNumber, unescaped; length 0 where absent or empty.
  sg_span serial_number;
  /// lastUpdateDate, registrationDate, shareWithResearchAsOfDate; good where `raw` has the field.
  int64_t last_update_ms, registration_ms, research_ms;
} sg_customer;

/// Records of one or several texts, with the memory that their pointers need.
typedef struct sg_batch sg_batch;
sg_batch *sg_batch_create(void);
void sg_batch_destroy(sg_batch *batch);
void sg_batch_clear(sg_batch *batch);
size_t sg_batch_count(const sg_batch *batch);
sg_record *sg_batch_records(sg_batch *batch);
const sg_customer *sg_batch_customers(const sg_batch *batch);

/// A parser with its scratch memory. One thread at a time.
typedef struct sg_parser sg_parser;
sg_parser *sg_parser_create(void);
void sg_parser_destroy(sg_parser *parser);

/// Appends the records of a whole payload to the batch: an object, an array of objects, or lines.
/// At least one record, so that no payload goes without a verdict.
/// `text` must be readable for SG_TEXT_SLACK bytes behind its end.
void sg_parse_payload(sg_parser *parser, sg_batch *batch, int kind, const uint8_t *text, size_t length);

/// Appends the records of whole lines of a file, one a line; blank lines are none.
void sg_parse_lines(sg_parser *parser, sg_batch *batch, int kind, const uint8_t *text, size_t length);

/// Appends one record that is refused before it is read.
void sg_batch_refuse(sg_batch *batch, const uint8_t *text, size_t length, uint8_t problem);

/// Whether the text is one complete JSON object or array with nothing behind it.
bool sg_is_complete(sg_parser *parser, const uint8_t *text, size_t length);

/// Writes `text`, which must be valid JSON, without white space outside strings to `out` (at least
/// `length` bytes); returns the bytes written.
size_t sg_minify(const uint8_t *text, size_t length, uint8_t *out);

/// Whether the bytes are valid UTF-8.
bool sg_is_utf8(const uint8_t *bytes, size_t length);

#ifdef __cplusplus
}
#endif
#endif
