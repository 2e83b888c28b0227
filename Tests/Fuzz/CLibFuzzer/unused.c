#include "CLibFuzzer.h"

// libFuzzer's own main refers to it, and comes along with the library; nobody calls either.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  (void)data;
  (void)size;
  return 0;
}
