// Tables of debug offsets captured from real interpreters (tests/data/debug_offsets), for tests
// that lay out memory as those interpreters do.
#ifndef FTHREADPROF_TESTS_UNIT_PYTHON_TEST_OFFSETS_H_
#define FTHREADPROF_TESTS_UNIT_PYTHON_TEST_OFFSETS_H_

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <span>
#include <string>
#include <vector>

#include "python/debug_offsets.h"
#include "unit/test_data.h"

namespace fthreadprof {

// The table's words. `release` is "3.13.5t", "3.13.15", "3.14.8" or "3.15.0".
inline std::vector<uint64_t> CapturedTable(const std::string& release) {
  std::ifstream file(TestData("debug_offsets/" + release + ".hex"));
  std::vector<uint64_t> words;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    words.push_back(std::stoull(line, nullptr, 16));
  }
  return words;
}

inline DebugOffsets CapturedOffsets(const std::string& release) {
  const std::vector<uint64_t> words = CapturedTable(release);
  auto parsed = DebugOffsets::Parse(
      std::span(reinterpret_cast<const uint8_t*>(words.data()), words.size() * sizeof(uint64_t)));
  if (!parsed.ok()) {
    std::cerr << release << ": " << parsed.status() << "\n";
    std::abort();
  }
  return *parsed;
}

}  // namespace fthreadprof

#endif  // FTHREADPROF_TESTS_UNIT_PYTHON_TEST_OFFSETS_H_
