// Splits a text into records. Two ways, which must give the same records:
// - fast: simdjson indexes the whole text once and the documents are read as a stream, as long as
//   each stands on a line of its own;
// - line by line, from the first line on where that fails, so that a bad line refuses only itself
//   and no text makes the work more than linear.
#include "record.hpp"

#include <cassert>

namespace {

using namespace stepgate;

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// RFC 8259, section 8.1: a parser may ignore a byte order mark.
std::string_view without_mark(std::string_view text) {
  return text.substr(0, 3) == "\xEF\xBB\xBF" ? text.substr(3) : text;
}

sg_record record_of(std::string_view text) {
  sg_record record = {};
  record.text = reinterpret_cast<const uint8_t *>(text.data());
  record.text_length = static_cast<uint32_t>(text.size());
  return record;
}

void refuse(sg_batch &batch, std::string_view text, uint8_t problem) {
  sg_record record = record_of(text);
  record.problem = problem;
  batch.records.push_back(record);
}

// Whether the text is not one object (what an object holds is another question).
bool is_broken(const sg_record &record) {
  return record.problem == SG_NOT_JSON || record.problem == SG_TRAILING_TEXT || record.problem == SG_NOT_AN_OBJECT;
}

void end_text_at(sg_record &record, const char *end) {
  const char *start = reinterpret_cast<const char *>(record.text);
  while (end > start && is_space(end[-1])) end--;
  record.text_length = static_cast<uint32_t>(end - start);
}

}

struct sg_parser {
  od::parser stream_parser;
  od::parser parser;

  sg_parser() {
#ifdef SIMDJSON_THREADS_ENABLED
    stream_parser.threaded = false;
#endif
  }

  simdjson::padded_string_view padded(std::string_view text) {
    return simdjson::padded_string_view(text.data(), text.size(), text.size() + SG_TEXT_SLACK);
  }

  // Where brackets do not match, simdjson takes the byte behind a text for another token, and goes on to
  // memory of earlier texts if that byte could be one. White space and NUL end it with an error, so every
  // text that it is given must be followed by one of them: lines are, others are copied where they are not.
  static bool is_closed(std::string_view text) {
    char behind = text.data()[text.size()];
    return behind == '\0' || is_space(behind);
  }

  static std::string_view closed(std::string_view text, sg_batch &batch) {
    if (is_closed(text)) return text;
    auto copy = reinterpret_cast<char *>(batch.allocate(text.size() + SG_TEXT_SLACK));
    memcpy(copy, text.data(), text.size());
    memset(copy + text.size(), 0, SG_TEXT_SLACK);
    return {copy, text.size()};
  }

  // Whether nothing stands behind the document that was just read.
  bool at_end(od::document &document) { return document.current_location().error() == simdjson::OUT_OF_BOUNDS; }

  // One document that must be an object and all of the text.
  sg_record read_alone(std::string_view text, int kind, sg_batch &batch) {
    assert(is_closed(text));
    sg_record record = record_of(text);
    od::document document;
    od::object object;
    if (parser.iterate(padded(text)).get(document)) {
      record.problem = SG_NOT_JSON;
    } else if (document.get_object().get(object)) {
      record.problem = text.front() == '{' ? SG_NOT_JSON : SG_NOT_AN_OBJECT;
    } else {
      size_t customers = batch.customers.size();
      read_object(object, kind, batch, record);
      if (record.problem == SG_FINE && !at_end(document)) {
        batch.customers.resize(customers);
        record.problem = SG_TRAILING_TEXT;
      }
    }
    return record;
  }

  // Whether the last bytes are what simdjson takes for the beginning of a character. At the end of a stream
  // it drops that unseen, though the text may go on behind it; such a text is never UTF-8.
  static bool ends_in_character(std::string_view text) {
    auto from_end = [text](size_t place) {
      return place > text.size() ? 0 : static_cast<uint8_t>(text[text.size() - place]);
    };
    return from_end(1) >= 0xC0 || from_end(2) >= 0xE0 || from_end(3) >= 0xF0;
  }

  // The fast way. Returns what is left from the first line on where the stream lost its way.
  std::string_view read_stream(std::string_view text, int kind, sg_batch &batch) {
    assert(is_closed(text));
    if (ends_in_character(text)) return text;
    // A fixed window: simdjson allocates anew whenever the window's size changes.
    while (window < text.size()) window *= 2;
    od::document_stream stream;
    std::string_view rest = text;
    if (stream_parser.iterate_many(text.data(), text.size(), window).get(stream)) return rest;
    for (auto item = stream.begin(); item != stream.end(); ++item) {
      auto document = *item;
      if (document.error()) return rest;
      const char *start = text.data() + item.current_index();
      // simdjson counts white space before the first document as part of it.
      while (is_space(*start)) start++;
      od::object object;
      if (!is_blank(rest.data(), start) || document.get_object().get(object)) return rest;
      sg_record record = record_of({start, 0});
      size_t customers = batch.customers.size();
      read_object(object, kind, batch, record);
      const char *end = record.problem == SG_FINE ? end_on_line(stream, document, start, text) : line_end(start, text);
      if (record.problem == SG_NOT_JSON || end == nullptr) {
        batch.customers.resize(customers);
        return rest;
      }
      record.text_length = static_cast<uint32_t>(end - start);
      // What follows a problem was not looked at, and it may have been in the next line already.
      if (record.problem != SG_FINE) record = read_alone(trimmed({start, record.text_length}), kind, batch);
      if (is_broken(record)) return rest;
      batch.records.push_back(record);
      rest = text.substr(static_cast<size_t>(end - text.data()));
    }
    return rest;
  }

  const char *line_end(const char *start, std::string_view text) {
    const char *text_end = text.data() + text.size();
    auto end = static_cast<const char *>(memchr(start, '\n', static_cast<size_t>(text_end - start)));
    return end ? end : text_end;
  }

  // The end of the document that begins at `start`, or null unless it is alone on its line.
  template <typename Document>
  const char *end_on_line(od::document_stream &stream, Document &document, const char *start, std::string_view text) {
    // Behind its last complete document simdjson hides what it takes for the begin of another.
    const char *next = text.data() + text.size() - stream.truncated_bytes();
    if (auto location = document.current_location(); !location.error()) next = location.value_unsafe();
    const char *end = next;
    while (end > start && is_space(end[-1])) end--;
    const char *newline = line_end(start, text);
    return newline >= end && (newline < next || next == text.data() + text.size()) ? end : nullptr;
  }

  bool is_blank(const char *from, const char *to) {
    while (from < to && is_space(*from)) from++;
    return from == to;
  }

  // Returns how many of the lines were objects.
  size_t read_lines(std::string_view text, int kind, sg_batch &batch) {
    size_t objects = 0;
    while (!text.empty()) {
      size_t end = text.find('\n');
      std::string_view line = trimmed(text.substr(0, end));
      text = end == text.npos ? std::string_view() : text.substr(end + 1);
      if (line.empty()) continue;
      sg_record record = read_alone(line, kind, batch);
      objects += is_broken(record) ? 0 : 1;
      batch.records.push_back(record);
    }
    return objects;
  }

  // An array's records, each judged alone. simdjson refuses an array without its end as a whole;
  // at damage in the middle the records before it stand, and the rest is one bad record.
  void read_array(std::string_view text, int kind, sg_batch &batch) {
    assert(is_closed(text));
    od::document document;
    od::array array;
    if (parser.iterate(padded(text)).get(document) || document.get_array().get(array)) {
      return refuse(batch, text, SG_NOT_JSON);
    }
    size_t first = batch.records.size();
    for (auto element : array) {
      od::value value;
      if (element.get(value)) return refuse_rest(batch, text, first);
      const char *start = value.raw_json_token().data();
      end_previous(batch, first, start);
      sg_record record = record_of({start, 0});
      od::object object;
      if (value.get_object().get(object)) {
        record.problem = SG_NOT_AN_OBJECT;
      } else {
        read_object(object, kind, batch, record);
      }
      batch.records.push_back(record);
      if (record.problem == SG_NOT_JSON) return refuse_rest(batch, text, first);
    }
    const char *end = text.data() + text.size();
    bool trailing = !document.current_location().get(end);
    end_previous(batch, first, end);
    if (trailing) return refuse(batch, text, SG_TRAILING_TEXT);
    if (batch.records.size() == first) refuse(batch, text, SG_EMPTY_TEXT);
  }

  // The text of the array's last record ends before the comma or bracket before `next`.
  void end_previous(sg_batch &batch, size_t first, const char *next) {
    if (batch.records.size() == first) return;
    sg_record &record = batch.records.back();
    end_text_at(record, next);
    if (record.text_length > 0) end_text_at(record, reinterpret_cast<const char *>(record.text) + record.text_length - 1);
  }

  // Damage: from the last record's begin on, nothing is known.
  void refuse_rest(sg_batch &batch, std::string_view text, size_t first) {
    if (batch.records.size() == first) return refuse(batch, text, SG_NOT_JSON);
    const char *end = text.data() + text.size();
    sg_record &last = batch.records.back();
    if (last.text_length == 0) {
      last.text_length = static_cast<uint32_t>(end - reinterpret_cast<const char *>(last.text));
      last.problem = SG_NOT_JSON;
    }
  }

  void read_payload(std::string_view text, int kind, sg_batch &batch) {
    text = trimmed(without_mark(text));
    if (text.empty()) return refuse(batch, text, SG_EMPTY_TEXT);
    text = closed(text, batch);
    if (text.front() == '[') return read_array(text, kind, batch);
    bool one_line = memchr(text.data(), '\n', text.size()) == nullptr;
    if (one_line) return batch.records.push_back(read_alone(text, kind, batch));
    std::string_view rest = read_stream(text, kind, batch);
    if (rest.data() != text.data()) {
      read_lines(rest, kind, batch);
      return;
    }
    read_unsettled(text, kind, batch);
  }

  // One complete object or array with nothing behind it.
  bool is_complete(std::string_view text) {
    od::document document;
    od::value value;
    if (text.empty()) return false;
    assert(is_closed(text));
    if (parser.iterate(padded(text)).get(document)) return false;
    if (document.get_value().get(value) || check_value(value, 0) != SG_FINE) return false;
    return at_end(document);
  }

  // The first line is no record: one object over several lines, or lines of which some are bad.
  // (A record with a problem was read only as far as that.)
  void read_unsettled(std::string_view text, int kind, sg_batch &batch) {
    if (is_complete(text)) return batch.records.push_back(read_alone(text, kind, batch));
    size_t first = batch.records.size();
    if (read_lines(text, kind, batch) > 0) return;
    batch.records.resize(first);
    refuse(batch, text, SG_NOT_JSON);
  }

private:
  size_t window = 1 << 20;
};

extern "C" {

sg_parser *sg_parser_create(void) { return new sg_parser(); }
void sg_parser_destroy(sg_parser *parser) { delete parser; }

void sg_parse_payload(sg_parser *parser, sg_batch *batch, int kind, const uint8_t *text, size_t length) {
  parser->read_payload({reinterpret_cast<const char *>(text), length}, kind, *batch);
}

void sg_batch_refuse(sg_batch *batch, const uint8_t *text, size_t length, uint8_t problem) {
  refuse(*batch, {reinterpret_cast<const char *>(text), length}, problem);
}

void sg_parse_lines(sg_parser *parser, sg_batch *batch, int kind, const uint8_t *text, size_t length) {
  std::string_view lines = trimmed({reinterpret_cast<const char *>(text), length});
  if (lines.empty()) return;
  lines = sg_parser::closed(lines, *batch);
  parser->read_lines(parser->read_stream(lines, kind, *batch), kind, *batch);
}

bool sg_is_complete(sg_parser *parser, const uint8_t *text, size_t length) {
  std::string copy = std::string(trimmed(without_mark({reinterpret_cast<const char *>(text), length})));
  size_t copied = copy.size();
  copy.append(SG_TEXT_SLACK, '\0');
  return parser->is_complete(std::string_view(copy).substr(0, copied));
}

size_t sg_minify(const uint8_t *text, size_t length, uint8_t *out) {
  size_t written = 0;
  auto failed = simdjson::minify(reinterpret_cast<const char *>(text), length, reinterpret_cast<char *>(out), written);
  return failed ? 0 : written;
}

bool sg_is_utf8(const uint8_t *bytes, size_t length) {
  return simdjson::validate_utf8(reinterpret_cast<const char *>(bytes), length);
}

}
