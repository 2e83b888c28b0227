// The batch that the parser fills: records, customers, and an arena for what has to be copied.
//
// Invariant: what the arena has given out never moves until the batch is cleared.
#pragma once

#include "CFastPath.h"

#include <cstring>
#include <memory>
#include <vector>

struct sg_batch {
  std::vector<sg_record> records;
  std::vector<sg_customer> customers;

  uint8_t *allocate(size_t length) {
    while (chunk < chunks.size() && used + length > chunks[chunk].size) {
      chunk++;
      used = 0;
    }
    if (chunk == chunks.size()) {
      size_t size = length > chunk_size ? length : chunk_size;
      chunks.push_back({std::unique_ptr<uint8_t[]>(new uint8_t[size]), size});
      used = 0;
    }
    uint8_t *place = chunks[chunk].bytes.get() + used;
    used += length;
    return place;
  }

  void clear() {
    records.clear();
    customers.clear();
    chunk = 0;
    used = 0;
  }

private:
  struct Chunk {
    std::unique_ptr<uint8_t[]> bytes;
    size_t size;
  };
  static constexpr size_t chunk_size = 256 * 1024;
  std::vector<Chunk> chunks;
  size_t chunk = 0;
  size_t used = 0;
};
