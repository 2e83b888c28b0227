// Empty on purpose: simdjson.h is C++ (see CFastPath).
