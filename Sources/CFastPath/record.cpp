#include "record.hpp"

namespace stepgate {

namespace {

constexpr Field customer_fields[SG_CUSTOMER_FIELDS] = {
  {"email", Type::identity, true},
  {"serialNumber", Type::identity, false},
  {"lastUpdateDate", Type::integer, false},
  {"registrationDate", Type::integer, false},
  {"shareWithResearchAsOfDate", Type::integer, false},
  {"shareWithPublicAsOfDate", Type::integer, false},
  {"shareWithFriendsAsOfDate", Type::integer, false},
  {"customerName", Type::text, false},
  {"phone", Type::text, false},
  {"birthDay", Type::text, false},
};
constexpr Field accelerometer_fields[] = {
  {"user", Type::identity, true}, {"timestamp", Type::integer, true},
  {"x", Type::number, true},      {"y", Type::number, true},
  {"z", Type::number, true},
};
constexpr Field step_trainer_fields[] = {
  {"sensorReadingTime", Type::integer, true},
  {"serialNumber", Type::identity, true},
  {"distanceFromObject", Type::integer, true},
};
constexpr Schema schemas[] = {customer_fields, accelerometer_fields, step_trainer_fields};

// A record nests no deeper than a few levels in practice; the bound keeps the recursion small.
constexpr int depth_limit = 64;
constexpr int no_field = -1;
constexpr int no_field_expected = SG_CUSTOMER_FIELDS;

// `key` begins behind the opening quote; the text's slack makes reading a name's length safe.
int field_of(const char *key, const Schema &schema, int expected) {
  if (expected < schema.count && schema.fields[expected].name.is_at(key)) return expected;
  for (int i = 0; i < schema.count; i++) {
    if (schema.fields[i].name.is_at(key)) return i;
  }
  return no_field;
}

// Keys are rarely written with escapes, so only those that matched nothing are looked at again.
uint8_t find_field(od::field &field, const Schema &schema, int expected, int &found) {
  found = field_of(field.key().raw(), schema, expected);
  if (found != no_field) return SG_FINE;
  std::string_view name;
  if (field.unescaped_key().get(name)) return SG_NOT_JSON;
  if (name.size() >= Name::limit * 8) return SG_FINE;
  char quoted[Name::limit * 8] = {};
  memcpy(quoted, name.data(), name.size());
  quoted[name.size()] = '"';
  found = field_of(quoted, schema, no_field_expected);
  return SG_FINE;
}

std::string_view token_of(od::value &value) {
  std::string_view token = value.raw_json_token();
  while (!token.empty() && (token.back() == ' ' || token.back() == '\n' || token.back() == '\r' || token.back() == '\t')) {
    token.remove_suffix(1);
  }
  return token;
}

sg_span span_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), static_cast<uint32_t>(text.size())};
}

uint8_t read_string(od::value &value, std::string_view token, sg_batch &batch, sg_span &out) {
  if (token.size() < 2 || token.front() != '"') return SG_NOT_A_STRING;
  if (memchr(token.data(), '\\', token.size()) == nullptr) {
    if (token.back() != '"') return SG_NOT_JSON;
    // Consumed, because simdjson takes a string that it has to skip for a key if a colon follows.
    if (value.get_raw_json_string().error()) return SG_NOT_JSON;
    out = span_of(token.substr(1, token.size() - 2));
    return SG_FINE;
  }
  std::string_view text;
  if (value.get_string().get(text)) return SG_NOT_JSON;
  uint8_t *copy = batch.allocate(text.size());
  memcpy(copy, text.data(), text.size());
  out = {copy, static_cast<uint32_t>(text.size())};
  return SG_FINE;
}

uint8_t read_integer(od::value &value, int64_t &out) {
  return value.get_int64().get(out) ? SG_NOT_AN_INTEGER : SG_FINE;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// -?(0|[1-9][0-9]*)(\.[0-9]+)?, RFC 8259 section 6 without an exponent. Within the limit on its length such
// a number is finite, so it need not be computed: nobody asks for its value.
bool is_plain_number(std::string_view token) {
  const char *at = token.data(), *end = at + token.size();
  if (at < end && *at == '-') at++;
  const char *digits = at;
  while (at < end && is_digit(*at)) at++;
  if (at == digits || (*digits == '0' && at - digits > 1)) return false;
  if (at == end) return true;
  if (*at++ != '.') return false;
  const char *fraction = at;
  while (at < end && is_digit(*at)) at++;
  return at == end && at > fraction;
}

uint8_t read_number(od::value &value, std::string_view token) {
  if (token.size() > SG_NUMBER_LIMIT) return value.get_double().error() ? SG_NOT_A_NUMBER : SG_NUMBER_TOO_LONG;
  if (is_plain_number(token)) return SG_FINE;
  return value.get_double().error() ? SG_NOT_A_NUMBER : SG_FINE;
}

uint8_t read_text(od::value &value, std::string_view token, sg_batch &batch) {
  sg_span unused;
  if (!token.empty() && token.front() == '"') return read_string(value, token, batch, unused);
  double number;
  return value.get_double().get(number) ? SG_NOT_TEXT_OR_NUMBER : SG_FINE;
}

// The values of an object while it is being read; only those in `present` are set (clearing them
// all for each record would cost as much as reading one).
struct Values {
  uint32_t present = 0;
  sg_span raw[SG_CUSTOMER_FIELDS];
  sg_span identity[2];
  int64_t integer[SG_CUSTOMER_FIELDS];

  bool has(int place) const { return present & (1u << place); }
};

uint8_t read_value(od::value &value, const Field &field, int place, sg_batch &batch, Values &values) {
  std::string_view token = token_of(value);
  if (!field.required && token == "null") return SG_FINE;
  values.present |= 1u << place;
  values.raw[place] = span_of(token);
  switch (field.type) {
    case Type::integer: return read_integer(value, values.integer[place]);
    case Type::number: return read_number(value, token);
    case Type::text: return read_text(value, token, batch);
    case Type::identity:
      uint8_t problem = read_string(value, token, batch, values.identity[place]);
      if (problem == SG_FINE && field.required && values.identity[place].length == 0) return SG_EMPTY_IDENTITY;
      return problem;
  }
  return SG_NOT_JSON;
}

// A coordinate is a few bytes, for which a call costs more than the copy: 16 bytes are copied at once, which the
// text's slack allows on one side, and `number_slack` on the other.
constexpr size_t number_slack = 16;
static_assert(number_slack <= SG_TEXT_SLACK, "what is read lies in the text or its slack");

void copy_number(uint8_t *out, const sg_span &number) {
  if (number.length <= number_slack) {
    memcpy(out, number.bytes, number_slack);
  } else {
    memcpy(out, number.bytes, number.length);
  }
}

void fill_accelerometer(const Values &values, sg_batch &batch, sg_record &record) {
  const sg_span &x = values.raw[2], &y = values.raw[3], &z = values.raw[4];
  uint8_t *numbers = batch.allocate(x.length + y.length + z.length + number_slack);
  copy_number(numbers, x);
  copy_number(numbers + x.length, y);
  copy_number(numbers + x.length + y.length, z);
  record.numbers = numbers;
  record.x_length = static_cast<uint8_t>(x.length);
  record.y_length = static_cast<uint8_t>(y.length);
  record.z_length = static_cast<uint8_t>(z.length);
}

void fill(int kind, const Values &values, sg_batch &batch, sg_record &record) {
  sg_span identity = values.identity[kind == SG_STEP_TRAINER ? 1 : 0];
  record.identity = identity.bytes;
  record.identity_length = identity.length;
  switch (kind) {
    case SG_CUSTOMER: {
      sg_customer customer;
      for (int i = 0; i < SG_CUSTOMER_FIELDS; i++) customer.raw[i] = values.has(i) ? values.raw[i] : sg_span{};
      customer.serial_number = values.has(1) ? values.identity[1] : sg_span{};
      customer.last_update_ms = values.integer[2];
      customer.registration_ms = values.integer[3];
      customer.research_ms = values.integer[4];
      record.distance = static_cast<int64_t>(batch.customers.size());
      batch.customers.push_back(customer);
      break;
    }
    case SG_ACCELEROMETER:
      record.time_ms = values.integer[1];
      fill_accelerometer(values, batch, record);
      break;
    default:
      record.time_ms = values.integer[0];
      record.distance = values.integer[2];
  }
}

uint8_t check_members(od::value &value, int depth) {
  od::object object;
  if (value.get_object().get(object)) return SG_NOT_JSON;
  for (auto member : object) {
    od::field field;
    std::string_view key;
    if (std::move(member).get(field) || field.unescaped_key().get(key)) return SG_NOT_JSON;
    if (uint8_t problem = check_value(field.value(), depth + 1)) return problem;
  }
  return SG_FINE;
}

uint8_t check_elements(od::value &value, int depth) {
  od::array array;
  if (value.get_array().get(array)) return SG_NOT_JSON;
  for (auto element : array) {
    od::value inner;
    if (element.get(inner)) return SG_NOT_JSON;
    if (uint8_t problem = check_value(inner, depth + 1)) return problem;
  }
  return SG_FINE;
}

}

const Schema &schema(int kind) { return schemas[kind]; }

uint8_t check_value(od::value value, int depth) {
  if (depth > depth_limit) return SG_TOO_DEEP;
  od::json_type type;
  if (value.type().get(type)) return SG_NOT_JSON;
  switch (type) {
    case od::json_type::object: return check_members(value, depth);
    case od::json_type::array: return check_elements(value, depth);
    case od::json_type::string: return value.get_string().error() ? SG_NOT_JSON : SG_FINE;
    case od::json_type::number: return value.get_number().error() ? SG_NOT_JSON : SG_FINE;
    case od::json_type::boolean: return value.get_bool().error() ? SG_NOT_JSON : SG_FINE;
    case od::json_type::null: {
      bool is_null;
      return value.is_null().get(is_null) || !is_null ? SG_NOT_JSON : SG_FINE;
    }
  }
  return SG_NOT_JSON;
}

void read_object(od::object object, int kind, sg_batch &batch, sg_record &record) {
  const Schema &fields = schema(kind);
  Values values;
  uint32_t seen = 0;
  int expected = 0;
  auto refuse = [&record](uint8_t problem, int place) {
    record.problem = problem;
    record.field = static_cast<uint8_t>(place);
  };
  for (auto member : object) {
    od::field field;
    if (std::move(member).get(field)) return refuse(SG_NOT_JSON, 0);
    int place;
    if (uint8_t problem = find_field(field, fields, expected, place)) return refuse(problem, 0);
    od::value value = field.value();
    if (place == no_field) {
      if (uint8_t problem = check_value(value, 1)) return refuse(problem, 0);
      continue;
    }
    if (seen & (1u << place)) return refuse(SG_DUPLICATE_KEY, place);
    seen |= 1u << place;
    if (uint8_t problem = read_value(value, fields.fields[place], place, batch, values)) return refuse(problem, place);
    expected = place + 1;
  }
  if (uint32_t missing = fields.required & ~seen) return refuse(SG_MISSING, __builtin_ctz(missing));
  fill(kind, values, batch, record);
}

}
