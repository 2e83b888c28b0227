// Reads one JSON object into a record: keys without regard to ASCII case, every field checked,
// unknown fields checked for being JSON and passed over.
#pragma once

#include "batch.hpp"

#include <simdjson.h>

namespace stepgate {

namespace od = simdjson::ondemand;

enum class Type { identity, integer, number, text };

struct Field {
  std::string_view name;
  Type type;
  bool required;
};

struct Schema {
  const Field *fields;
  uint8_t count;
};

/// The fields of a kind, in the order of its tables' columns.
const Schema &schema(int kind);

/// What one object held: `problem` and `field` are set when it is not a good record.
/// Never leaves the object half read without a problem.
void read_object(od::object object, int kind, sg_batch &batch, sg_record &record);

/// Whether a value that nobody reads is JSON all the same.
uint8_t check_value(od::value value, int depth);

}
