// What the users of zstd here share.
#ifndef FTHREADPROF_PROFILE_ZSTD_CHECK_H_
#define FTHREADPROF_PROFILE_ZSTD_CHECK_H_

#include <zstd.h>

#include <cstddef>
#include <cstdlib>

namespace fthreadprof {

inline constexpr int kCompressionLevel = 1;  // the target's CPU is not ours to use

// The result of a call on data of our own. It fails only on a wrong buffer size or without memory:
// our own mistake, or nothing to be done.
inline size_t CheckZstd(size_t result) {
  if (ZSTD_isError(result)) std::abort();
  return result;
}

}  // namespace fthreadprof

#endif  // FTHREADPROF_PROFILE_ZSTD_CHECK_H_
