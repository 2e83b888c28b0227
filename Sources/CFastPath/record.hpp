// Reads one JSON object into a record: keys without regard to ASCII case, every field checked,
// unknown fields checked for being JSON and passed over.
#pragma once

#include "batch.hpp"

// Without exceptions no conversion can hide an error: what the data does must never end the process.
#define SIMDJSON_EXCEPTIONS 0
#include <simdjson.h>

namespace stepgate {

namespace od = simdjson::ondemand;

enum class Type { identity, integer, number, text };

/// A field's name with its closing quote, in words that are compared without regard to ASCII case.
///
/// Setting bit 5 makes a capital letter small. The names hold letters only, and no other byte becomes
/// a letter by it, nor a quote but 0x02, which no JSON string may hold: so the comparison is exact.
struct Name {
  static constexpr uint64_t small = 0x2020202020202020;
  static constexpr size_t limit = 4;

  uint64_t words[limit] = {};
  uint64_t masks[limit] = {};
  size_t count;

  template <size_t size>
  constexpr Name(const char (&name)[size]) : count((size - 1) / 8 + 1) {
    static_assert(size <= limit * 8, "a longer name needs more words");
    for (size_t i = 0; i < size; i++) {
      uint64_t byte = static_cast<uint8_t>(i + 1 < size ? name[i] : '"');
      words[i / 8] |= (byte | 0x20) << (i % 8 * 8);
      masks[i / 8] |= uint64_t{0xFF} << (i % 8 * 8);
    }
  }

  /// Whether the key that begins here is this name. Reads up to 32 bytes.
  bool is_at(const char *key) const {
    for (size_t i = 0; i < count; i++) {
      uint64_t word;
      memcpy(&word, key + i * 8, 8);
      if (((word | small) & masks[i]) != words[i]) return false;
    }
    return true;
  }
};

struct Field {
  Name name;
  Type type;
  bool required;
};

struct Schema {
  const Field *fields;
  uint8_t count;
  /// A bit for each required field.
  uint32_t required = 0;

  template <size_t size>
  constexpr Schema(const Field (&fields)[size]) : fields(fields), count(size) {
    for (size_t place = 0; place < size; place++) required |= uint32_t{fields[place].required} << place;
  }
};

/// The fields of a kind, in the order of its tables' columns.
const Schema &schema(int kind);

/// What one object held: `problem` and `field` are set when it is not a good record.
/// Never leaves the object half read without a problem.
void read_object(od::object object, int kind, sg_batch &batch, sg_record &record);

/// Whether a value that nobody reads is JSON all the same.
uint8_t check_value(od::value value, int depth);

}
