// How often tests of random input repeat themselves. Sanitizers make each round ten times slower,
// and what they find, one round in ten finds as well: the rest is for tools/test --full, which sets
// FTHREADPROF_TEST_FULL.
#ifndef FTHREADPROF_UNIT_REPETITION_H_
#define FTHREADPROF_UNIT_REPETITION_H_

#include <cstdlib>

namespace fthreadprof {

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

inline int Repetitions(int full) {
  return kSanitized && std::getenv("FTHREADPROF_TEST_FULL") == nullptr ? full / 10 : full;
}

}  // namespace fthreadprof

#endif  // FTHREADPROF_UNIT_REPETITION_H_
