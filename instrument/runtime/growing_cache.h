// GrowingCache: a direct-mapped cache of a thread, small for a thread that does little (a program
// may have hundreds) and larger for one that misses often. Growing forgets what was cached.
#ifndef FTHREADPROF_INSTRUMENT_RUNTIME_GROWING_CACHE_H_
#define FTHREADPROF_INSTRUMENT_RUNTIME_GROWING_CACHE_H_

#include <bit>
#include <cstdint>
#include <cstring>

#include "arena.h"

namespace fthreadprof::race {

// Sizes are powers of two. An Entry of zeros matches nothing.
template <typename Entry, uint32_t kLeast, uint32_t kMost>
class GrowingCache {
 public:
  constexpr GrowingCache() = default;
  // entries_ may point into the object.
  GrowingCache(const GrowingCache&) = delete;
  GrowingCache& operator=(const GrowingCache&) = delete;

  // By the hash's upper bits, which a multiplication has mixed best.
  Entry& At(uint64_t hash) { return entries_[hash >> shift_]; }

  // By the number's lower bits: neighbours lie beside each other.
  Entry& Near(uint64_t number) { return entries_[number & mask_]; }

  // Call for every miss. Entries may have moved then.
  void Missed(Arena& arena, BlockCache& cache) {
    if (++misses_ <= 4 * mask_ || mask_ + 1 >= kMost) [[likely]]
      return;
    misses_ = 0;
    const uint32_t count = 4 * (mask_ + 1) < kMost ? 4 * (mask_ + 1) : kMost;
    auto* grown = static_cast<Entry*>(arena.Allocate(cache, count * sizeof(Entry)));
    if (grown == nullptr) return;
    memset(grown, 0, count * sizeof(Entry));
    if (entries_ != least_) arena.Free(cache, entries_, (mask_ + 1) * sizeof(Entry));
    entries_ = grown;
    mask_ = count - 1;
    shift_ = 64 - std::bit_width(mask_);
  }

 private:
  Entry* entries_ = least_;
  uint32_t mask_ = kLeast - 1;
  int shift_ = 64 - std::bit_width(kLeast - 1);
  uint32_t misses_ = 0;
  Entry least_[kLeast] = {};
};

}  // namespace fthreadprof::race

#endif  // FTHREADPROF_INSTRUMENT_RUNTIME_GROWING_CACHE_H_
