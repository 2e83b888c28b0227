// The entry of libFuzzer for programs that have a main of their own
// (https://llvm.org/docs/LibFuzzer.html, "Using libFuzzer as a library").
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Fuzzes `test_one_input` as the arguments say, and returns the process's exit code.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*test_one_input)(const uint8_t *data, size_t size));
